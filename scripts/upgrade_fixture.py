"""Make an installation as an old commit leaves it, for the test that brings it forward (agnes/tests/upgrade).

    python -m scripts.upgrade_fixture [COMMIT]

The commit is checked out into a temporary folder and run in today's environment, since no other is at hand:
it must still run there. What it makes is a small world of the invented transcripts of the tests: people, a
marketplace, transcripts that are done and one that waits, roll-ups and a lake. Secrets and folders of this
machine are not in it. The result is committed; make it anew only for another commit.
"""

import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agnes.tests.server import ROOT, environment_without_agnes

# The nearest one in this history to the end of the work on the lake.
COMMIT = "a702bbc"
CASES = ROOT / "telemetry" / "tests" / "cases"
WORLD = ROOT / "agnes" / "tests" / "upgrade" / "world.tar.xz"
LARGEST_BYTES = 1 << 20
# Uploaded last, and not processed: an upgrade finds work that waits.
PENDING = "truncated_tail/live"
MARKET_URL = "https://git.example.com/market.git"
KEPT = ("agnes.sqlite3", "lake", "transcripts")


@dataclass(frozen=True)
class OldAgnes:
    """A checkout of the commit, and the data folder on which it runs."""

    checkout: Path
    data: Path

    def manage(self, *arguments: str) -> None:
        environment = environment_without_agnes() | {
            "AGNES_DATA_DIR": str(self.data),
            "SECRET_KEY": "the key of a world that is only looked at " * 2,
            "TOKEN_PEPPER": "the pepper of a world that is only looked at " * 2,
            "SEED_ADMIN_EMAIL": "admin@example.com",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)} of the old commit failed:\n{done.stdout}{done.stderr}")


def main(commit: str = COMMIT) -> None:
    with tempfile.TemporaryDirectory(prefix="agnes-upgrade-") as folder:
        old = OldAgnes(Path(folder, "checkout"), Path(folder, "data"))
        _check_out(commit, old.checkout)
        _populate(old, Path(folder, "market"))
        _forget_this_machine(old.data, folder, (Path(folder) / "market").as_uri())
        _pack(old.data)
    print(f"{WORLD.relative_to(ROOT)}: {WORLD.stat().st_size} bytes, made by {commit}")


def _check_out(commit: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as members:
        members.extractall(folder, filter="data")


def _populate(old: OldAgnes, market: Path) -> None:
    old.manage("migrate")
    old.manage("sync_schedules")
    old.manage("seed_admin")
    _make_market(market)
    old.manage("marketplace_add", market.as_uri(), "--slug", "market")
    people = sorted(path for path in CASES.glob("*/*") if path.is_dir())
    for person in people:
        if not str(person).endswith(PENDING):
            old.manage("sessions_import", str(person), "--user", _email(person), "--create-user")
    for processor in ("verification", "usage"):
        old.manage("process_sessions", "--processor", processor)
    old.manage("sessions_import", str(CASES / PENDING), "--user", _email(CASES / PENDING), "--create-user")


def _email(person: Path) -> str:
    return f"{person.name}@{person.parent.name}.example.com".replace("_", "-")


def _make_market(folder: Path) -> None:
    """A repository with the plugin that the transcripts use."""
    skill = "---\nname: {name}\ndescription: Does {name}.\n---\n\n# {name}\n"
    files = {
        ".claude-plugin/marketplace.json": json.dumps(
            {
                "name": "market",
                "owner": {"name": "Example"},
                "plugins": [{"name": "toolbox", "source": "./toolbox", "version": "1.0.0"}],
            }
        ),
        "toolbox/.claude-plugin/plugin.json": json.dumps({"name": "toolbox", "version": "1.0.0"}),
        "toolbox/skills/lint/SKILL.md": skill.format(name="lint"),
        "toolbox/skills/review/SKILL.md": skill.format(name="review"),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    who = {
        f"GIT_{role}_{what}": "market@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Tools"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | who)


def _forget_this_machine(data: Path, folder: str, market: str) -> None:
    database = sqlite3.connect(data / "agnes.sqlite3")
    with database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE marketplaces SET url = ?", [MARKET_URL])
        database.execute("UPDATE audit_log SET params = replace(params, ?, ?)", [market, MARKET_URL])
        database.execute("UPDATE accounts_user SET password = '!'")
        for _, statement in triggers:
            database.execute(statement)
    database.execute("VACUUM")
    database.execute("PRAGMA journal_mode = DELETE")
    database.close()
    # The lake's tables note where they were made, which nobody reads.
    for path in (data / "lake").rglob("*.json"):
        path.write_text(path.read_text().replace(str(data), "/srv/agnes/var"))
    for path in _kept_files(data):
        if folder.encode() in path.read_bytes():
            sys.exit(f"{path.relative_to(data)} names a folder of this machine.")


def _kept_files(data: Path) -> list[Path]:
    """What makes up the world: secrets, caches and clones stay behind."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return sorted(path for path in files if path.relative_to(data).parts[0] in KEPT)


def _pack(data: Path) -> None:
    """Without owners and times."""
    WORLD.parent.mkdir(exist_ok=True)
    with tarfile.open(WORLD, "w:xz", preset=9) as archive:
        for path in _kept_files(data):
            archive.add(path, path.relative_to(data).as_posix(), filter=_of_nobody)
    if WORLD.stat().st_size > LARGEST_BYTES:
        sys.exit(
            f"{WORLD.name} has {WORLD.stat().st_size} bytes, and more than {LARGEST_BYTES} are too many."
        )


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    member.mtime = 0
    return member


if __name__ == "__main__":
    main(*sys.argv[1:])
