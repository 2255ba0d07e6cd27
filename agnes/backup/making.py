"""Make a backup while people go on working.

Stored files never change, but new ones come and old ones go. So they are copied first, all that the database
names at the time. Then the database is held still: the few files that it names now and that are not copied
yet are added, and the tables are written as they are at that moment. Where one of these files went away in
between, that moment is given up for a later one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone

from accounts import audit
from accounts.errors import AgnesError
from agnes.backup import schema, secrets
from agnes.backup.archive import ArchiveWriter, written
from agnes.backup.dumping import chunks_of
from agnes.backup.files import NamedFile, count_named, named_files
from agnes.backup.format import FILES, FORMAT, SECRETS, TABLES, Head, Manifest, TableNote
from agnes.backup.keys import KeySet
from agnes.backup.snapshot import snapshot
from agnes.backup.tables import dumped_tables
from agnes.backup.totals import totals_of
from agnes.errors import BackupFailed

OnProgress = Callable[[str, int, int], None]
# What is replaced or deleted in so many moments one after another counts as lost.
MOMENTS = 20


def make_backup(path: Path, *, on_progress: OnProgress = lambda step, done, of: None) -> Manifest:
    """Raises BackupExists, BackupFailed and MigrationsWait; then no file is left."""
    schema.require_current()
    head = Head(FORMAT, timezone.now())
    with (
        _told(path),
        written(path, head) as archive,
        _audited(),
        KeySet() as copied,
    ):
        return _Making(archive, head, copied, on_progress).make()


@contextmanager
def _audited() -> Iterator[None]:
    """The row is written first, and so is part of the backup."""
    audit.record("system.backup", params={"files": count_named()})
    try:
        yield
    except BaseException:
        audit.record("system.backup", result="incomplete")
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except AgnesError:
        raise
    except OSError as error:
        raise BackupFailed(path, error.strerror or str(error)) from error


class _Making:
    def __init__(self, archive: ArchiveWriter, head: Head, copied: KeySet, on_progress: OnProgress) -> None:
        self._archive = archive
        self._head = head
        self._copied = copied
        self._on_progress = on_progress
        self._files = 0
        self._bytes = 0

    def make(self) -> Manifest:
        self._copy_files(DEFAULT_DB_ALIAS, moment=0)
        for moment in range(1, MOMENTS + 1):
            with snapshot() as using:
                missing = self._copy_files(using, moment)
                if moment == MOMENTS or all(file.is_still_named() for file in missing):
                    unneeded = self._copied.not_seen_since(moment)
                    return self._write_rest(using, unneeded, [file.key for file in missing])
        raise AssertionError("the last moment is always taken")

    def _copy_files(self, using: str, moment: int) -> list[NamedFile]:
        """Those that are named there and not yet in the archive; the ones that are missing."""
        missing = []
        total = count_named(using)
        for number, file in enumerate(named_files(using), 1):
            if not self._copied.see(file.key, moment):
                try:
                    self._copy(file.key)
                except FileNotFoundError:
                    missing.append(file)
                else:
                    self._copied.add(file.key, moment)
            self._on_progress("Stored files", number, total)
        return missing

    def _copy(self, key: str) -> None:
        with default_storage.open(key) as stored:
            size = stored.seek(0, os.SEEK_END)
            stored.seek(0)
            self._archive.add(f"{FILES}{key}", stored, size)
        self._files += 1
        self._bytes += size

    def _write_rest(self, using: str, unneeded: list[str], lost: list[str]) -> Manifest:
        manifest = Manifest(
            format=FORMAT,
            made_at=self._head.made_at,
            database=connection.vendor,
            migrations=schema.applied(using),
            tables=self._write_tables(using),
            totals=totals_of(using),
            files=self._files,
            file_bytes=self._bytes,
            unneeded=unneeded,
            lost=lost,
            secrets=secrets.fingerprints(),
            lists=0,
            lists_sha256="",
        )
        for name, path in secrets.kept().items():
            self._archive.add_bytes(f"{SECRETS}{name.lower()}", path.read_bytes())
        return self._archive.finish(manifest)

    def _write_tables(self, using: str) -> dict[str, TableNote]:
        notes: dict[str, TableNote] = {}
        counts = {table.name: table.model._base_manager.using(using).count() for table in dumped_tables()}
        done, total = 0, sum(counts.values())
        for table in dumped_tables():
            note = notes[table.name] = TableNote()
            for chunk in chunks_of(table, using=using):
                note.chunks += 1
                note.rows += chunk.rows
                done += chunk.rows
                self._archive.add_bytes(f"{TABLES}{table.name}/{note.chunks:06}.ndjson.zst", chunk.content)
                self._on_progress("Rows", done, total)
        return notes
