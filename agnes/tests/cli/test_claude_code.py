"""The real Claude Code in a workspace that `agnes init` has set up; only the model is a stand-in."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Scope, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.model_api import model_api
from agnes.tests.server import wait_until
from marketplace.tests.serving import claude_code
from telemetry.models import SessionTranscript, UsageEvent, WithheldSession

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TOOLS = [("Bash", {"command": "ls", "description": "look"}), ("Skill", {"skill": "tidy"})]
SKILL = "---\nname: tidy\ndescription: Tidies up.\n---\nTidy up.\n"
PATIENCE = 60


@pytest.fixture(scope="module")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return claude_code.install(tmp_path_factory.mktemp("claude-code"))


@pytest.fixture
def model() -> Iterator[str]:
    with model_api(TOOLS) as address:
        yield address


@pytest.fixture
def prompt(claude: Path, laptop: Machine, model: str) -> Callable[..., str]:
    """`prompt("Go")` is a session; the command `agnes` is on its PATH."""
    commands = laptop.home / "bin"
    commands.mkdir()
    agnes = commands / "agnes"
    agnes.write_text(f'#!/bin/sh\nexec {sys.executable} -m agnes.cli "$@"\n')
    agnes.chmod(0o755)
    skill = laptop.workspace / ".claude/skills/tidy/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text(SKILL)
    environment = {**laptop.environment, **claude_code.environment(laptop.home, model)}
    environment["PATH"] = f"{commands}:{environment['PATH']}"

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [claude, *arguments],
            cwd=laptop.workspace, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    return run


def test_a_session_comes_in_by_itself(laptop: Machine, prompt, bob: User):
    laptop.ok("init")
    prompt("-p", "Look around, then tidy up.")
    wait_until(SessionTranscript.objects.exists, PATIENCE)
    call_command("process_sessions", verbosity=0)
    events = UsageEvent.objects.filter(user_id=bob.pk)
    assert set(events.values_list("tool_name", flat=True)) == {"Bash", "Skill"}
    assert events.get(tool_name="Skill").skill_name == "tidy"


def test_a_private_one_does_not(laptop: Machine, prompt):
    laptop.ok("init")
    prompt("-p", "/agnes-private")
    assert laptop.json("status")["private"] == 1
    # The next one sends what the hook of the first has sent, had it sent anything.
    prompt("-p", "Look around.")
    wait_until(SessionTranscript.objects.exists, PATIENCE)
    laptop.ok("push", "--all")
    call_command("process_sessions", verbosity=0)
    [sent] = SessionTranscript.objects.all()
    [withheld] = WithheldSession.objects.all()
    assert sent.session_id != withheld.session_id
    assert set(UsageEvent.objects.values_list("session_id", flat=True)) == {sent.session_id}


def test_ones_own_marketplace_is_added(
    laptop: Machine, prompt, bob: User, token_for, claude: Path, live_server, settings
):
    settings.AGNES_URL = live_server.url
    environment = {"PATH": f"{claude.parent}:{laptop.environment['PATH']}"}
    told = laptop.ok(
        "init", "--marketplace", "--with-token", input=token_for(bob, Scope.MARKETPLACE), **environment
    )
    assert "Claude Code has your marketplace now" in told
    assert "agnes" in prompt("plugin", "marketplace", "list")
    again = laptop.ok("init", "--marketplace", **environment)
    assert "has your marketplace already" in again
