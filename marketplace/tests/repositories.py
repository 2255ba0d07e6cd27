"""Real git repositories with invented marketplaces."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARKETPLACE_JSON = ".claude-plugin/marketplace.json"


class Repository:
    """A repository with a working tree. Each `commit` replaces its content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", ".")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *args: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "x@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **identity,
        }
        done = subprocess.run(["git", *args], cwd=self.folder, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(
        self, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None, *, amend: bool = False
    ) -> str:
        """Commit exactly these files and symlinks; the commit's hash."""
        self.git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        for name, target in (links or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x", *(["--amend"] if amend else []))
        return self.git("rev-parse", "HEAD")


def marketplace(*entries: dict[str, Any], name: str = "acme-market", **fields: Any) -> dict[str, str]:
    """The files of a marketplace without plugins in it."""
    content = {"name": name, "owner": {"name": "Acme"}, "plugins": list(entries), **fields}
    return {MARKETPLACE_JSON: json.dumps(content)}


def plugin(
    folder: str, *, name: str | None = None, skills: Mapping[str, str] | None = None, **files: Any
) -> dict[str, str]:
    """The files of a plugin: skills by folder with their front matter's name ('' = none), commands, agents,
    and `manifest` fields."""
    manifest = {"name": name or folder.rpartition("/")[2], **files.pop("manifest", {})}
    made = {f"{folder}/.claude-plugin/plugin.json": json.dumps(manifest)}
    for skill, given in (skills or {}).items():
        head = f"---\nname: {given}\ndescription: Does {skill}.\n---\n" if given else ""
        made[f"{folder}/skills/{skill}/SKILL.md"] = f"{head}Do {skill}.\n"
    for command in files.pop("commands", ()):
        made[f"{folder}/commands/{command}.md"] = f"Run {command}.\n"
    for agent in files.pop("agents", ()):
        made[f"{folder}/agents/{agent}.md"] = f"---\nname: {agent}\ndescription: A.\n---\nBe {agent}.\n"
    for path, content in files.pop("more", {}).items():
        made[f"{folder}/{path}"] = content
    assert not files, files
    return made


def entry(name: str, source: Any = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "source": source or f"./{name}", **fields}


def kit(**fields: Any) -> dict[str, str]:
    """One marketplace with one plugin of every kind of identifier: namespace `acme`, entry `acme-kit`."""
    manifest = {
        "version": "1.2.0",
        "mcpServers": {"my.db": {"command": "db", "args": ["--all"]}},
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "./stop.sh"}]}]},
    }
    content = {
        "name": "acme",
        "skills": {"rows": "row-counter"},
        "commands": ["io/export"],
        "agents": ["auditor"],
        "manifest": manifest,
        "more": {"README.md": "# Kit\n\nCounts rows.\n"},
    }
    return marketplace(entry("acme-kit")) | plugin("acme-kit", **{**content, **fields})
