"""The real git, as Claude Code runs it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

MARKETPLACE_JSON = ".claude-plugin/marketplace.json"


class Git:
    def __init__(self, server: str, person: object, token: str, folder: Path) -> None:
        self.address = f"{server}/m/{person}.git"
        self.with_token = self.address.replace("://", f"://agnes:{token}@")
        self.folder = folder
        folder.mkdir()

    def clone(self, name: str = "clone", *options: str, protocol: int = 2) -> "Clone":
        self.run("clone", "--quiet", *options, self.with_token, name, protocol=protocol)
        return Clone(self, self.folder / name)

    def run(self, *args: str, protocol: int = 2, cwd: Path | None = None) -> str:
        done = self.tried(*args, protocol=protocol, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tried(
        self, *args: str, protocol: int = 2, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **more,
        }
        return subprocess.run(
            ["git", "-c", f"protocol.version={protocol}", *args],
            cwd=cwd or self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


class Clone:
    def __init__(self, git: Git, path: Path) -> None:
        self.git = git
        self.path = path

    @property
    def marketplace(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / MARKETPLACE_JSON).read_text())
        return content

    @property
    def plugins(self) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.marketplace["plugins"]}

    @property
    def commit(self) -> str:
        return self.run("rev-parse", "HEAD").strip()

    def run(self, *args: str, protocol: int = 2) -> str:
        return self.git.run(*args, protocol=protocol, cwd=self.path)

    def update(self, protocol: int = 2) -> None:
        """As Claude Code does where the history was replaced."""
        self.run("fetch", "--quiet", "--depth=1", "origin", "HEAD", protocol=protocol)
        self.run("reset", "--quiet", "--hard", "FETCH_HEAD")

    def read(self, path: str) -> str:
        return (self.path / path).read_text()
