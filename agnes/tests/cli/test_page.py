"""What docs/CLIENT.md says is so: its commands run, against a real server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import BaseCommand
from typer.main import get_command

from accounts.models import Scope, User
from agnes.cli import config, errors, folders
from agnes.cli.api import PATIENCE
from agnes.cli.claude import CONFIG
from agnes.cli.main import DEBUG, INTERRUPTED, app
from agnes.tests.cli.machines import Machine
from agnes.tests.server import ROOT
from agnes.tests.test_docs import BLOCK
from marketplace.models import Marketplace
from marketplace.tests import planting

PAGE = (ROOT / "docs" / "CLIENT.md").read_text()
RUN = re.compile(r"needs a server( and a session of this machine| and an admin| with a marketplace)?")
SESSION = "6f1c2a8e-0000-4000-8000-000000000001"
# What the page's token is not for, or nobody has here.
LEFT_OUT = ("agnes doctor", "agnes market install", "agnes market remove", "agnes market upload")


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.django_db(transaction=True)
def test_its_commands_run(machine: Machine, live_server, alice: User, bob: User, token_for, monkeypatch):
    planting.plant_plugin(Marketplace.objects.create(slug="kits", url="file:///nowhere"), "tidy")
    machine.write(SESSION)
    machine.write("s2")
    commands = machine.home / "bin"
    commands.mkdir()
    (commands / "agnes").write_text(f'#!/bin/sh\nexec {sys.executable} -m agnes.cli "$@"\n')
    (commands / "agnes").chmod(0o755)
    environment = {
        **machine.environment,
        "PATH": f"{commands}:{machine.environment['PATH']}",
        "AGNES_TOKEN": token_for(alice, *Scope),
    }
    ran = 0
    for block in BLOCK.finditer(PAGE):
        if not (block["reason"] and RUN.fullmatch(block["reason"])):
            continue
        lines = [it for it in block["text"].splitlines() if not it.startswith(LEFT_OUT)]
        text = "\n".join(lines).replace("https://agnes.example.com", live_server.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=machine.workspace, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}"
        call_command("process_sessions", verbosity=0)
        ran += len(lines)
    assert ran > 15


def test_it_has_every_exit_code():
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    kinds = [it for it in vars(errors).values() if isinstance(it, type)]
    codes = {it.exit_code for it in kinds if issubclass(it, errors.ClientError)}
    assert listed == {0, INTERRUPTED, *codes}


# They show nothing, or write what somebody has asked for in a form of its own.
WITHOUT_JSON = {"logout", "snapshot drop", "admin usage export", "admin sessions download"}


def test_every_command_that_shows_something_takes_json():
    takes: set[str] = set()
    lacks: set[str] = set()
    for words, command in _commands(get_command(app)):
        options = {name for it in command.params for name in it.opts}
        (takes if "--json" in options else lacks).add(words)
    assert lacks == WITHOUT_JSON
    assert len(takes) > 20


def _commands(command: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from _commands(below, f"{words} {name}".strip())


@pytest.mark.parametrize("name", ["export", "reprocess", "prune"])
def test_an_admin_has_the_options_of_the_command(name: str):
    parser = load_command_class("telemetry", f"usage_{name}").create_parser("manage.py", f"usage_{name}")
    own = {it for action in parser._actions for it in action.option_strings if it.startswith("--")}
    own -= {it for action in BaseCommand().create_parser("x", "x")._actions for it in action.option_strings}
    commands = dict(_commands(get_command(app)))
    options = {it for param in commands[f"admin usage {name}"].params for it in param.opts}
    assert own
    assert own == {it for it in options if it.startswith("--")} - {"--json"}


def test_it_has_every_variable_and_command():
    for name in (config.SERVER, config.TOKEN, folders.HOME, PATIENCE, DEBUG, CONFIG):
        assert f"`{name}`" in PAGE
    names = {it.name or getattr(it.callback, "__name__", "") for it in app.registered_commands}
    names |= {it.name for it in app.registered_groups}
    for name in names:
        assert re.search(rf"\bagnes {name}\b", PAGE), name
