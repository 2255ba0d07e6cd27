"""agnes push, several at once and killed."""

import json
import os
import random
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import sleep

import pytest

from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted
from agnes.tests.server import wait_until

PATIENCE = 60


def write_many(client: Machine, count: int) -> dict[str, bytes]:
    return {f"s{number}.jsonl": client.write(f"s{number}").read_bytes() for number in range(count)}


def noted_as_sent(client: Machine) -> set[str]:
    path = client.agnes / "ledger.sqlite3"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as ledger:
        try:
            rows = ledger.execute("SELECT path FROM transcripts WHERE state = 'sent'").fetchall()
        except sqlite3.OperationalError:
            # It was killed before there was a table.
            return set()
    return {Path(path).name for (path,) in rows}


class TestKilled:
    @pytest.fixture
    def kill_at(self, client: Machine, server: Scripted) -> Callable[..., None]:
        """Ends a push with kill -9 when the server is at the upload of this number, or has just taken it."""

        def push(number: int, *, taken: bool) -> None:
            def kill() -> None:
                if len(server.uploads()) == number:
                    process.kill()
                    process.wait()

            setattr(server, "on_taken" if taken else "on_upload", kill)
            process = client.start("push")
            process.communicate(timeout=PATIENCE)
            assert process.returncode == -signal.SIGKILL

        return push

    @pytest.mark.parametrize("taken", [False, True])
    def test_in_the_middle_of_an_upload(self, client, server: Scripted, kill_at, taken: bool):
        files = write_many(client, 5)
        kill_at(3, taken=taken)
        assert noted_as_sent(client) == {"s0.jsonl", "s1.jsonl"}
        server.on_upload = server.on_taken = lambda: None
        assert client.json("push")["sent"] == 3
        assert server.stored == {name: [content] for name, content in files.items()}

    @pytest.mark.slow
    @pytest.mark.sample
    def test_at_random_points(self, client: Machine, server: Scripted):
        files = write_many(client, 60)
        dice = random.Random(9)
        for _ in range(15):
            process = client.start("push", "--all")
            sleep(dice.uniform(0.05, 0.9))
            process.kill()
            process.communicate()
            assert noted_as_sent(client) <= set(server.stored)
        client.ok("push", "--all")
        assert server.stored == {name: [content] for name, content in files.items()}
        assert client.json("push", "--all")["known"] == 60


class TestAtOnce:
    def test_two_share_the_work(self, client: Machine, server: Scripted):
        files = write_many(client, 20)
        pushes = [client.start("push", "--json") for _ in range(2)]
        told = [json.loads(push.communicate(timeout=PATIENCE)[0]) for push in pushes]
        assert sorted(it["sent"] for it in told) == [0, 20]
        assert sorted(it["known"] for it in told) == [0, 20]
        assert len(server.uploads()) == 20
        assert server.latest() == files

    def test_that_of_a_hook_leaves_its_work_to_the_one_that_goes_on(self, client: Machine, server: Scripted):
        other = client.home / "other"
        other.mkdir()
        write_many(client, 3)

        def end_a_session_elsewhere() -> None:
            server.on_upload = lambda: None
            lines = [{**line, "cwd": str(other)} for line in client.session("late")]
            path = client.write("late", lines, workspace=other)
            hook(client, "SessionEnd", path, other)
            # It is about to find the lock taken.
            wait_until(lambda: any(client.agnes.glob("requests/*")), PATIENCE)

        server.on_upload = end_a_session_elsewhere
        client.ok("push")
        wait_until(lambda: "late.jsonl" in server.stored, PATIENCE)
        assert set(server.stored) == {"s0.jsonl", "s1.jsonl", "s2.jsonl", "late.jsonl"}
        assert len(server.uploads()) == 4


def hook(client: Machine, event: str, path: Path, folder: Path, **more: str) -> None:
    """As Claude Code runs it."""
    told = {
        "hook_event_name": event,
        "session_id": path.stem,
        "transcript_path": str(path),
        "cwd": str(folder),
        **more,
    }
    done = client.run("push", "--hook", input=json.dumps(told), cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class TestHooks:
    def test_the_end_of_a_session_sends_it(self, client: Machine, server: Scripted):
        path = client.write("s1")
        client.write("s1", agent="a1")
        hook(client, "SessionEnd", path, client.workspace)
        wait_until(lambda: len(server.stored) == 2, PATIENCE)
        assert set(server.stored) == {"s1.jsonl", "s1/subagents/agent-a1.jsonl"}

    def test_the_beginning_of_one_catches_up_without_it(self, client: Machine, server: Scripted):
        client.write("old")
        path = client.write("new")
        hook(client, "SessionStart", path, client.workspace)
        wait_until(lambda: "old.jsonl" in server.stored, PATIENCE)
        # Whether the new one is sent shows once the push has ended.
        client.ok("push", "--dry-run")
        wait_until(lambda: not list((client.agnes / "requests").iterdir()), PATIENCE)
        assert set(server.stored) == {"old.jsonl"}

    def test_a_session_in_another_folder_than_its_workspace_is_sent(self, client: Machine, server: Scripted):
        elsewhere = client.home / "worktree"
        elsewhere.mkdir()
        path = client.write("s1", workspace=elsewhere)
        hook(client, "SessionEnd", path, client.workspace)
        wait_until(lambda: "s1.jsonl" in server.stored, PATIENCE)
        assert set(server.stored) == {"s1.jsonl"}

    def test_what_goes_wrong_is_in_the_log(self, machine: Machine):
        hook(machine, "SessionEnd", machine.write("s1"), machine.workspace)
        log = machine.agnes / "push.log"
        wait_until(lambda: log.exists() and "not logged in" in log.read_text(), PATIENCE)
        assert "not logged in" in log.read_text()
        assert os.stat(log).st_mode & 0o777 == 0o600
