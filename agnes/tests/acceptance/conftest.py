"""One server for all of these tests, which an operator has set up from nothing by the playbook."""

import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agnes.tests.acceptance.machine import EmptyMachine, Shell
from agnes.tests.acceptance.platform import ADMIN, Platform
from agnes.tests.acceptance.proxy import proxy
from agnes.tests.server import ROOT, free_port
from marketplace.demo.repository import CONTENT
from marketplace.tests.git.servers import GitServer, make_certificate
from marketplace.tests.repositories import Repository
from telemetry.tests.ask.messages_api import Say, messages_api
from telemetry.tests.builders import assistant_line, tool_use, transcript_bytes, user_line

PLAYBOOK = ROOT / "docs" / "PLATFORM_SETUP.md"
TOKEN = "the-token-of-the-repository"
SKILL = "---\nname: tidy\ndescription: Puts notes in order.\n---\nSort the notes.\n"
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
SQL = (
    "SELECT count(*) AS times FROM usage_events WHERE tool_name = 'Bash' "
    f"AND occurred_at >= TIMESTAMPTZ '{YESTERDAY} 00:00:00+00' "
    f"AND occurred_at < TIMESTAMPTZ '{YESTERDAY + timedelta(days=1)} 00:00:00+00'"
)
# As the pages name them.
FIRST, OWN, PRIVATE = (f"6f1c2a8e-0000-4000-8000-{number:012}" for number in (0, 3, 2))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("machine")
    certificate = make_certificate(folder)
    git = GitServer(folder / "git", certificate)
    git.token = TOKEN
    port = free_port()
    with proxy(port) as address, messages_api(Say(sql=SQL)) as model:
        machine = EmptyMachine(
            folder,
            port=port,
            words={
                "https://github.com/anthropics/claude-plugins-official.git": official(
                    folder / "official"
                ).url,
                "https://git.example.com/team/plugins.git": git.url(team(folder / "git/team")),
                "https://agnes.example.com": address,
                "/users/7/": "/users/1/",
                "kits/tidy": "team-tools/review-kit",
            },
            ANTHROPIC_BASE_URL=model.url,
            GIT_SSL_CAINFO=str(certificate),
        )
        operator = machine.shell("operator")
        write_session(operator.folder, FIRST, calls=3)
        try:
            yield Platform(machine, operator, address, playbook=PLAYBOOK)
        finally:
            operator.end()
            machine.end()
            git.stop()


@pytest.fixture(scope="session")
def analyst(platform: Platform) -> Iterator[Shell]:
    """Somebody who works in Claude Code, on a machine of their own, with an account and its token."""
    token = platform.person("ana@example.com")
    shell = platform.machine.shell("ana", AGNES_TOKEN=token)
    work = shell.folder / "work"
    work.mkdir()
    for session, calls in ((OWN, 2), (PRIVATE, 5)):
        write_session(shell.folder, session, calls=calls, workspace=work)
    shell.run(f"cd {work}")
    yield shell
    shell.end()


@pytest.fixture(scope="session")
def program(platform: Platform) -> Iterator[Shell]:
    """A job of the operator's with a token of every scope, and what the pages upload in its folder."""
    token = platform.token_of(ADMIN, "upload", "read", "marketplace", "admin")
    shell = platform.machine.shell("program", AGNES_TOKEN=token, TOKEN=token, AGNES_URL=platform.address)
    session = write_session(shell.folder, "0c1f9e52-0000-4000-8000-000000000000", calls=1)
    shutil.copy(session, shell.folder / "session.jsonl")
    for place in ("tidy/SKILL.md", "tidy.md"):
        (shell.folder / place).parent.mkdir(exist_ok=True)
        (shell.folder / place).write_text(SKILL)
    (shell.folder / "tidy/reference").mkdir()
    (shell.folder / "tidy/reference/rules.md").write_text("Sort by subject.")
    with zipfile.ZipFile(shell.folder / "tidy.zip", "w") as archive:
        archive.writestr("tidy/SKILL.md", SKILL.replace("tidy", "tidy-zip"))
    yield shell
    shell.end()


def write_session(home: Path, session: str, *, calls: int, workspace: Path | None = None) -> Path:
    """A transcript of yesterday, as Claude Code leaves it: so many calls of Bash."""
    where: Any = {"sessionId": session, "cwd": str(workspace or home)}
    at = datetime.combine(YESTERDAY, datetime.min.time(), UTC) + timedelta(hours=10)

    def stamp(minute: int) -> str:
        return f"{at + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S}.000Z"

    lines = [user_line("Hello", uuid=f"{session}-0", timestamp=stamp(0), **where)]
    for number in range(1, calls + 1):
        call = tool_use("Bash", id=f"toolu-{session}-{number}", command="ls")
        ids: Any = {"uuid": f"{session}-{number}", "message_id": f"msg-{session}-{number}"}
        lines.append(assistant_line(call, **ids, timestamp=stamp(number), **where))
    project = home / ".claude/projects" / str(where["cwd"]).replace("/", "-")
    project.mkdir(parents=True, exist_ok=True)
    path = project / f"{session}.jsonl"
    path.write_bytes(transcript_bytes(lines))
    return path


def official(folder: Path) -> Repository:
    """The public marketplace."""
    repository = Repository(folder)
    repository.commit(
        {
            ".claude-plugin/marketplace.json": '{"name": "official", "owner": {"name": "Somebody"}, '
            '"plugins": [{"name": "hello", "source": "./hello"}]}',
            "hello/skills/greet/SKILL.md": "---\nname: greet\ndescription: Says hello.\n---\nSay hello.\n",
        }
    )
    return repository


def team(folder: Path) -> str:
    """The private one: the demo's plugins. Its address below the git server."""
    repository = Repository(folder)
    shutil.copytree(CONTENT, folder, dirs_exist_ok=True)
    repository.git("add", "--all", "--force")
    repository.git("commit", "--quiet", "-m", "x")
    return f"{folder.name}/.git"
