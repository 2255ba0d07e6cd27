"""A machine: a home, a workspace in it, what Claude Code wrote there, and the real command `agnes`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from agnes.cli import config
from agnes.tests.cli.forking import Commands
from agnes.tests.server import ROOT, environment_without_agnes
from telemetry.tests.builders import Line, assistant_line, tool_use, transcript_bytes, user_line

AGNES = (sys.executable, "-m", "agnes.cli")
SECONDS = 60
COMMANDS = Commands()


class Machine:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.workspace = home / "work"
        self.workspace.mkdir(parents=True)
        self.environment = {
            **environment_without_agnes(),
            "HOME": str(home),
            "AGNES_HOME": str(home / "agnes"),
            "AGNES_PATIENCE": "3",
            "PYTHONPATH": str(ROOT),
        }

    @property
    def agnes(self) -> Path:
        """The client's own folder."""
        return self.home / "agnes"

    @property
    def claude(self) -> Path:
        return self.home / ".claude"

    def log_in(self, server: str, token: str, *, user_id: int, email: str, name: str = "") -> None:
        """As `agnes login` leaves it, which takes longer."""
        with patch.dict(os.environ, self.environment):
            config.keep(config.Login(server, token, config.Account(user_id, email, name)))

    def ok(self, *arguments: str, **more: Any) -> str:
        """What it printed; it must succeed."""
        done = self.run(*arguments, **more)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str, **more: Any) -> Any:
        return json.loads(self.ok(*arguments, "--json", **more))

    def run(
        self, *arguments: str, input: str = "", cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return COMMANDS.run(
            arguments,
            cwd=cwd or self.workspace,
            env={**self.environment, **environment},
            input=input,
            timeout=SECONDS,
        )

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> "subprocess.Popen[str]":
        """Started as a shell does, for who wants to end it, or to know how long it takes."""
        return subprocess.Popen(
            [*AGNES, *arguments],
            cwd=cwd or self.workspace,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def project(self, workspace: Path | None = None) -> Path:
        """Where Claude Code keeps the sessions of a folder."""
        name = re.sub("[^A-Za-z0-9]", "-", os.path.realpath(workspace or self.workspace))
        return self.claude / "projects" / name

    def write(
        self,
        session: str,
        lines: Iterable[Line | bytes | str] | None = None,
        *,
        agent: str = "",
        workspace: Path | None = None,
    ) -> Path:
        """A transcript as Claude Code writes it; one small session where no lines are given."""
        folder = self.project(workspace)
        path = folder / (f"{session}/subagents/agent-{agent}.jsonl" if agent else f"{session}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(transcript_bytes(self.session(session, agent=agent) if lines is None else lines))
        return path

    def session(self, session: str, *, agent: str = "", calls: int = 1, **fields: Any) -> list[Line]:
        """A prompt, and so many calls of Bash. Its ids are those of the session, so that copies are."""
        where: Any = {
            "sessionId": session,
            "cwd": str(self.workspace),
            **({"agentId": agent} if agent else {}),
        }
        stem = f"{session}{agent}"
        lines = [user_line("Hello", uuid=f"{stem}-0", **where, **fields)]
        for number in range(1, calls + 1):
            call = tool_use("Bash", id=f"toolu-{stem}-{number}", command="ls")
            ids: Any = {"uuid": f"{stem}-{number}", "message_id": f"msg-{stem}-{number}"}
            lines.append(assistant_line(call, **ids, **where, **fields))
        return lines
