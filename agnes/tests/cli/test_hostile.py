"""What a repository that somebody cloned, a server or a name may try with the client."""

import json
import os
import pty
import subprocess
from typing import Any

import pytest

from agnes.tests.cli.machines import AGNES, SECONDS, Machine
from agnes.tests.cli.scripted import DATASET, PAGE, Scripted
from agnes.tests.cli.test_push_at_once import hook
from agnes.tests.server import wait_until

# Clears the screen, and steers a terminal of another kind.
ESCAPES = "\x1b[2J\x9b31mname\u202e"


class TestTheWorkspace:
    def test_a_hook_runs_no_code_of_it(self, client: Machine, server: Scripted):
        """Python looks for modules in the folder that `-m` is started in."""
        for name in ("typer.py", "json.py", "agnes/__init__.py", "agnes/cli/__init__.py"):
            path = client.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n")
        hook(client, "SessionEnd", client.write("s1"), client.workspace)
        wait_until(lambda: "s1.jsonl" in server.stored, SECONDS)
        assert list(client.workspace.rglob("*.ran")) == []

    @pytest.mark.parametrize("name", ["settings.json.agnes-backup", "commands/agnes-private.md"])
    def test_a_link_in_it_writes_nothing_elsewhere(self, machine: Machine, name: str):
        folder = machine.workspace / ".claude"
        (folder / "commands").mkdir(parents=True)
        (folder / "settings.json").write_text('{"model": "opus"}')
        target = machine.home / "elsewhere"
        (folder / name).symlink_to(target)
        done = machine.run("init")
        assert (done.returncode, "cannot be written" in done.stderr) == (8, True)
        assert not target.exists()

    @pytest.mark.parametrize("link", [".claude", ".claude/settings.json", ".claude/commands"])
    @pytest.mark.parametrize("scope", ["project", "local"])
    def test_a_link_in_its_place_sets_up_nothing_elsewhere(self, machine: Machine, link: str, scope: str):
        """Such as to one's own settings, which would have the sessions of all workspaces sent."""
        if scope == "local":
            link = link.replace("settings.json", "settings.local.json")
        own = machine.home / ".claude"
        (own / "commands").mkdir(parents=True)
        (own / "settings.json").write_text("{}")
        before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
        path = machine.workspace / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(own / link.removeprefix(".claude").lstrip("/"))
        for more in ([], ["--remove"]):
            done = machine.run("init", "--scope", scope, *more)
            assert (done.returncode, "leads out of" in done.stderr) == (8, True), done
        assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before

    def test_an_upload_takes_no_file_from_outside_of_its_folder(self, client: Machine, server: Scripted):
        folder = client.workspace / "kit"
        folder.mkdir()
        (folder / "SKILL.md").write_text("x")
        (folder / "inside.md").symlink_to(folder / "SKILL.md")
        (folder / "notes.md").symlink_to(client.agnes / "token")
        done = client.run("market", "upload", "kit")
        assert (done.returncode, "notes.md leads out of" in done.stderr, server.requests) == (2, True, [])


class TestTheServer:
    @pytest.mark.parametrize("name", ["../../outside", "a/b", "", "x" * 300, "UPPER"])
    def test_names_of_data_sets_lead_nowhere(self, client: Machine, server: Scripted, name: str):
        before = {path for path in client.home.rglob("*") if path.is_file()}
        server.item = {**DATASET, "name": name}
        done = client.run("pull")
        assert (done.returncode, "did not answer as a server of Agnes does" in done.stderr) == (6, True)
        assert {path for path in client.home.rglob("*") if path.is_file()} == before

    @pytest.mark.parametrize("me", [[], {}, {"id": "x"}, "text", None])
    def test_what_is_no_account_is_none(self, machine: Machine, server: Scripted, me: Any):
        server.me = me
        token = f"agnes_{'a' * 12}_{'b' * 40}"
        done = machine.run("login", "--server", server.url, "--with-token", input=token)
        assert (done.returncode, "did not answer as a server of Agnes does" in done.stderr) == (6, True)

    def test_a_download_without_a_tag_is_none(self, client: Machine, server: Scripted):
        server.tag = ""
        done = client.run("pull")
        assert (done.returncode, "did not answer as a server of Agnes does" in done.stderr) == (6, True)

    def test_a_body_that_cannot_be_unpacked(self, client: Machine, server: Scripted):
        server.encoding = "gzip"
        done = client.run("status", AGNES_PATIENCE="0")
        assert (done.returncode, "does not answer: " in done.stdout) == (0, True)

    @pytest.mark.parametrize("answer", [(302, {"Location": "https://sso.example/"}, {}), (400, {}, {}), PAGE])
    def test_what_stands_before_it_refuses_nothing_for_good(self, client, server: Scripted, answer: Any):
        """Such as the page of a proxy where one has to sign in."""
        client.write("s1")
        server.always = answer
        assert client.run("push", AGNES_PATIENCE="0").returncode == 5
        server.always = "ok"
        assert client.json("push")["sent"] == 1

    def test_what_stands_before_it_is_not_taken_for_told(self, client: Machine, server: Scripted):
        server.always = PAGE
        assert "was not told yet" in client.ok("mark-private", "6f1c2a8e-0000-4000-8000-000000000001")
        server.always = "ok"
        assert client.json("push")["told_private"] == 1


class TestNames:
    """What would steer a terminal does not reach it, wherever it stands."""

    def test_in_errors(self, client: Machine, server: Scripted):
        server.always = (422, {}, {"error": {"code": "x", "message": ESCAPES, "hint": ESCAPES}})
        client.write("s1")
        told = client.run("push")
        assert told.returncode == 9
        assert not set(told.stdout + told.stderr) & set("\x1b\x9b\u202e")

    def test_in_lines_and_tables(self, client: Machine, server: Scripted):
        server.item = {**DATASET, "description": ESCAPES}
        assert not set(client.ok("catalog")) & set("\x1b\x9b\u202e")
        server.me = {**server.me, "email": ESCAPES}
        client.ok("login", "--server", server.url, "--with-token", input=f"agnes_{'a' * 12}_{'c' * 40}")
        assert not set(client.ok("status")) & set("\x1b\x9b\u202e")

    def test_in_json_they_are_escaped(self, client: Machine, server: Scripted):
        server.item = {**DATASET, "description": ESCAPES}
        told = client.ok("catalog", "--json")
        assert not set(told) & set("\x1b\x9b\u202e")
        assert json.loads(told)["items"][0]["description"] == ESCAPES


class TestOnATerminal:
    def run(self, machine: Machine, *arguments: str) -> str:
        """As somebody sees it."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*AGNES, *arguments],
            cwd=machine.workspace,
            env={**machine.environment, "COLUMNS": "100", "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:
            # The other end is closed.
            pass
        os.close(ours)
        assert process.wait(SECONDS) == 0
        return shown.decode()

    def test_a_table_is_drawn_and_names_are_no_markup(self, client: Machine, server: Scripted):
        server.item = {**DATASET, "description": f"[red]{ESCAPES}[/red]"}
        shown = self.run(client, "catalog")
        assert "usage_events" in shown
        assert "[red]" in shown
        assert "\t" not in shown
        assert not set(shown) & set("\x9b\u202e")
        assert "\x1b[2J" not in shown
