"""The real Claude Code adds a personal marketplace and installs from it.

On loopback, with a home of its own, everything else it might want to reach shut off.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import override_settings

from accounts.models import Scope
from marketplace.serving.installing import install_lines
from marketplace.serving.stack import add_to_stack, remove_from_stack
from marketplace.tests.repositories import entry, marketplace, plugin
from marketplace.tests.serving import claude_code
from marketplace.tests.serving.planting import a_skill, plant_entity, take_down

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="session")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return claude_code.install(tmp_path_factory.mktemp("claude-code"))


@pytest.fixture(scope="session")
def model_api() -> Iterator[str]:
    """A stand-in that answers nothing but that it is there."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(529)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


class Client:
    def __init__(self, command: Path, home: Path, model_api: str) -> None:
        self.command = command
        self.home = home
        self.environment = claude_code.environment(home, model_api)
        home.mkdir()

    def run(self, line: str) -> str:
        """A line as people paste it."""
        done = subprocess.run(
            ["sh", "-c", line.replace("claude", str(self.command), 1)],
            cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    @property
    def plugins(self) -> Path:
        return self.home / ".claude/plugins"

    def installed(self, name: str) -> Path:
        listed = json.loads((self.plugins / "installed_plugins.json").read_text())["plugins"]
        [found] = listed[f"{name}@agnes"]
        return Path(found["installPath"])


@pytest.fixture
def client(claude: Path, tmp_path: Path, model_api: str) -> Client:
    return Client(claude, tmp_path / "home", model_api)


def test_it_adds_installs_and_updates(server, synced, bob, charlie, token_for, client):
    def files(words: str) -> dict[str, str]:
        script = {"scripts/run.sh": f"#!/bin/sh\necho {words}\n"}
        return (
            marketplace(entry("tidy"), entry("bare", strict=False, commands=["./extra/go.md"]))
            | plugin("tidy", commands=["sweep"], manifest={"version": "1.4.0"}, more=script)
            | {"bare/extra/go.md": "Go.\n", "bare/skills/walk/SKILL.md": "---\nname: walk\n---\nWalk.\n"}
        )

    synced(files("one"), executables=("tidy/scripts/run.sh",))
    entity = plant_entity(charlie, "knots", a_skill("knots"), "skills/knots/go.sh")
    for source, ref_id in (("curated", "kits/tidy"), ("curated", "kits/bare"), ("flea", "flea-knots")):
        add_to_stack(bob, source, ref_id)
    with override_settings(AGNES_URL=server):
        token = token_for(bob, Scope.MARKETPLACE)
        add, _ = install_lines(bob, token=token)
        installs = {name: install_lines(bob, name)[1] for name in ("tidy", "bare", "knots")}
    client.run(add)
    for line in installs.values():
        client.run(line)

    tidy, bare, knots = map(client.installed, ("tidy", "bare", "knots"))
    assert (tidy / "commands/sweep.md").exists()
    assert os.access(tidy / "scripts/run.sh", os.X_OK)
    # In the name of a folder it writes the + of a version as a hyphen.
    assert re.fullmatch(r"1\.4\.0-[0-9a-f]{8}", tidy.name)
    assert (bare / "extra/go.md").exists()
    assert (knots / "skills/knots/SKILL.md").exists()
    assert os.access(knots / "skills/knots/go.sh", os.X_OK)

    synced(files("two"), executables=("tidy/scripts/run.sh",))
    client.run("claude plugin marketplace update agnes")
    client.run("claude plugin update tidy@agnes")
    client.run("claude plugin update bare@agnes")
    assert client.installed("tidy") != tidy
    assert "two" in (client.installed("tidy") / "scripts/run.sh").read_text()
    assert client.installed("bare") == bare

    take_down(entity)
    remove_from_stack(bob, "curated", "kits/bare")
    client.run("claude plugin marketplace update agnes")
    known = json.loads((client.plugins / "known_marketplaces.json").read_text())
    clone = Path(known["agnes"]["installLocation"])
    listed = json.loads((clone / ".claude-plugin/marketplace.json").read_text())
    assert [it["name"] for it in listed["plugins"]] == ["tidy"]


def test_it_adds_an_empty_stack(server, kits, bob, token_for, client):
    with override_settings(AGNES_URL=server):
        client.run(install_lines(bob, token=token_for(bob, Scope.MARKETPLACE))[0])
    assert "agnes" in json.loads((client.plugins / "known_marketplaces.json").read_text())
