"""A backup is of one moment, whatever people do while it is made."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from agnes.backup.archive import ArchiveReader, ArchiveWriter
from agnes.backup.checking import check
from agnes.backup.format import FILES, TABLES
from agnes.backup.making import MOMENTS, make_backup
from agnes.backup.restoring import restore
from agnes.tests.backup.test_backup import run
from agnes.tests.backup.world import rows_of
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.processors.processing import process
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`meanwhile(below, doing)`: it is done before each member below this name is written."""
    real = ArchiveWriter.add

    def arm(below: str, doing: Any) -> None:
        def add(archive: ArchiveWriter, name: str, *content: Any) -> None:
            if name.startswith(below):
                doing(name)
            real(archive, name, *content)

        monkeypatch.setattr(ArchiveWriter, "add", add)

    return arm


def test_what_comes_while_tables_are_written_is_not_in_it(bob: User, file: Path, meanwhile: Any):
    upload(bob, session("s1", calls=2))
    process("usage")

    def work(name: str) -> None:
        if name.endswith(("accounts_user/000001.ndjson.zst", "usage_events/000001.ndjson.zst")):
            upload(bob, session(f"more-{name.count('accounts')}", calls=5))
            process("usage")

    meanwhile(TABLES, work)
    manifest = make_backup(file)
    assert SessionTranscript.objects.count() == 3
    assert (manifest.totals["transcripts"], manifest.totals["events"]) == (1, 2)
    assert (manifest.files, manifest.unneeded, manifest.lost) == (1, [], [])
    assert len(rows_of(file)["usage_events"]) == 2
    restore(file, replace=True)
    assert SessionTranscript.objects.count() == 1


class TestFilesThatGo:
    def test_a_transcript_that_grows_is_there_as_it_is_in_the_tables(
        self, bob: User, file: Path, meanwhile: Any
    ):
        """Its file is replaced after it was copied."""
        upload(bob, session("s1", calls=1))
        upload(bob, session("s2", calls=1))
        grown = iter([2, 3])

        def grow(name: str) -> None:
            if calls := next(grown, None):
                upload(bob, session("s1", calls=calls))

        meanwhile(FILES, grow)
        manifest = make_backup(file)
        assert (manifest.files, len(manifest.unneeded), manifest.lost) == (3, 0, []) or manifest.unneeded
        process("usage")
        before = usage_of(bob)
        run("restore", file, "--replace")
        process("usage")
        assert usage_of(bob) == before
        keys = {name.removeprefix(FILES) for name in ArchiveReader(file).names(FILES)}
        live = SessionTranscriptPart.objects.filter(superseded=False).select_related("transcript")
        assert {part.storage_key for part in live} == keys - set(manifest.unneeded)

    def test_another_moment_is_taken_where_a_file_went_away(
        self, bob: User, file: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """After the database was held still, and before the file was copied."""
        from agnes.backup import making

        real = making._Making._copy
        calls = iter(range(2, 100))

        def copy(self: Any, key: str) -> None:
            if (number := next(calls)) < 5:
                upload(bob, session("s1", calls=number))
            real(self, key)

        upload(bob, session("s1", calls=1))
        monkeypatch.setattr(making._Making, "_copy", copy)
        manifest = make_backup(file)
        assert (manifest.files - len(manifest.unneeded), manifest.lost) == (1, [])
        assert len(rows_of(file)["session_transcript_parts"]) == 4
        check(file)

    def test_it_ends_in_the_end(self, bob: User, file: Path, monkeypatch: pytest.MonkeyPatch):
        """Where every moment finds its file gone, the last one is taken as it is."""
        from agnes.backup import making

        def copy(self: Any, key: str) -> None:
            calls.append(key)
            upload(bob, session("s1", calls=len(calls) + 1))
            raise FileNotFoundError(key)

        calls: list[str] = []
        upload(bob, session("s1", calls=1))
        monkeypatch.setattr(making._Making, "_copy", copy)
        manifest = make_backup(file)
        assert len(calls) == MOMENTS + 1
        assert manifest.lost == [calls[-1]]


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_others_write_while_it_is_made(bob: User, file: Path, meanwhile: Any):
    """SQLite has one writer at a time, which the backup never is for long."""
    upload(bob, session("s1"))
    written: list[str] = []

    def write(name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
            upload(bob, session("s1", calls=len(written) + 2))
            written.append(name)

    meanwhile(TABLES, write)
    make_backup(file)
    assert len(written) > 20
