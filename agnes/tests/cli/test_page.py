"""What docs/CLIENT.md says is so: its commands run, against a real server."""

import re
import subprocess
import sys

import pytest
from django.core.management import call_command

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


def test_it_has_every_variable_and_command():
    for name in (config.SERVER, config.TOKEN, folders.HOME, PATIENCE, DEBUG, CONFIG):
        assert f"`{name}`" in PAGE
    names = {it.name or getattr(it.callback, "__name__", "") for it in app.registered_commands}
    names |= {it.name for it in app.registered_groups}
    for name in names:
        assert re.search(rf"\bagnes {name}\b", PAGE), name
