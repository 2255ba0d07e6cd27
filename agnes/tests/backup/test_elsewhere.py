"""Into another installation, with the real command in a process of its own, and back again.

That one is on SQLite: where the suite runs on PostgreSQL, this is the way from one database to the other.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import AuditLog, User
from agnes.backup import secrets
from agnes.backup.archive import ArchiveReader
from agnes.backup.making import make_backup
from agnes.tests.backup.older import as_of_then
from agnes.tests.backup.test_backup import ruin, run
from agnes.tests.backup.world import figures, lasting_rows, rows_of
from agnes.tests.server import environment_without_agnes
from telemetry.models import SessionTranscript
from telemetry.tests.figures import upload
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Installation:
    """One that has never been used."""

    folder: Path
    variables: dict[str, str]

    def manage(self, *arguments: Any) -> "subprocess.CompletedProcess[str]":
        environment = {**environment_without_agnes(), "AGNES_DATA_DIR": str(self.folder), **self.variables}
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=settings.BASE_DIR,
            env={**environment, "LOG_LEVEL": "WARNING"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def told(self, *arguments: Any) -> str:
        done = self.manage(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the database has its tables, and nothing else is."""
    folder = tmp_path_factory.mktemp("installation") / "data"
    Installation(folder, {}).told("migrate", "--verbosity=0")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, with_tables: Path) -> Callable[..., Installation]:
    """`elsewhere(TOKEN_PEPPER="…")`: with these variables."""

    def make(**variables: str) -> Installation:
        shutil.copytree(with_tables, tmp_path / "elsewhere")
        return Installation(tmp_path / "elsewhere", variables)

    return make


def test_there_and_back(world: str, file: Path, tmp_path: Path, alice: User, bob: User):
    """All rows and files, whatever the two databases are; what people see is the same."""
    before = figures(alice)
    make_backup(file)
    there = Installation(tmp_path / "new", {})
    told = there.told("restore", file)
    assert "Restored: " in told
    assert (there.folder / "lake" / "usage_events").exists()
    there.told("backup", tmp_path / "there.tar")
    assert lasting_rows(tmp_path / "there.tar") == lasting_rows(file)
    ruin(bob)
    run("restore", tmp_path / "there.tar", "--replace")
    make_backup(tmp_path / "back.tar")
    assert figures(alice) == before
    assert lasting_rows(tmp_path / "back.tar") == lasting_rows(file)
    actions = [row.action for row in AuditLog.objects.filter(action__startswith="system.").order_by("pk")]
    assert actions == ["system.backup", "system.restore", "system.backup", "system.restore", "system.backup"]


class TestSecrets:
    @pytest.fixture(autouse=True)
    def kept_here(self, settings: Any) -> None:
        """As if this installation had made them itself."""
        settings.TOKEN_PEPPER, settings.SECRET_KEY = "pepper-of-here-" * 4, "key-of-here-" * 5
        for name in secrets.MEANINGS:
            Path(settings.DATA_DIR, name.lower()).write_text(getattr(settings, name))

    def test_those_that_were_made_come_along(self, file: Path, elsewhere: Callable[..., Installation]):
        make_backup(file)
        there = elsewhere()
        assert "TOKEN_PEPPER" not in there.told("restore", file)
        assert (there.folder / "token_pepper").read_text() == settings.TOKEN_PEPPER
        assert (there.folder / "token_pepper").stat().st_mode & 0o077 == 0

    def test_those_of_the_environment_are_told(self, file: Path, elsewhere: Callable[..., Installation]):
        make_backup(file)
        told = elsewhere(TOKEN_PEPPER="another-pepper-" * 4).told("restore", file)
        assert "TOKEN_PEPPER is not that of the installation that was backed up, so access tokens" in told
        assert "SECRET_KEY" not in told
        assert settings.TOKEN_PEPPER not in told

    def test_what_fails_leaves_those_that_were_there(
        self, bob: User, file: Path, tmp_path: Path, settings: Any
    ):
        make_backup(file)
        settings.TOKEN_PEPPER = "another-pepper-" * 4
        path = Path(settings.DATA_DIR, "token_pepper")
        path.write_text(settings.TOKEN_PEPPER)
        found = []
        with suppress(KeyboardInterrupt), secrets.replaced({"TOKEN_PEPPER": b"pepper of the file"}):
            found.append(path.read_text())
            raise KeyboardInterrupt
        assert found == ["pepper of the file"]
        assert path.read_text() == settings.TOKEN_PEPPER


class TestAnOlderOne:
    """Made before the migration 0008 of telemetry."""

    @pytest.fixture
    def older(self, bob: User, file: Path) -> Path:
        upload(bob, session("s1", calls=2))
        make_backup(file)
        return as_of_then(file)

    @pytest.mark.slow
    @pytest.mark.sample
    def test_it_is_brought_forward(self, older: Path, elsewhere: Callable[..., Installation], tmp_path: Path):
        there = elsewhere()
        there.told("restore", older)
        there.told("backup", tmp_path / "there.tar")
        assert (
            "0008_unsettled_transcripts"
            in ArchiveReader(tmp_path / "there.tar").manifest().migrations["telemetry"]
        )
        rows = rows_of(tmp_path / "there.tar")
        assert len(rows["session_transcripts"]) == 1
        there.told("process_sessions")

    def test_it_is_refused_where_something_is(self, older: Path):
        with pytest.raises(Exception, match=r"older version .* it lacks \w+\.\d{4}_\w+, which"):
            run("restore", older, "--replace")
        assert SessionTranscript.objects.get().session_id == "s1"
