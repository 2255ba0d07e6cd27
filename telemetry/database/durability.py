"""How soon a commit must be on disk, and what may stay there of what was deleted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

log = logging.getLogger(__name__)


@contextmanager
def redoable_writes() -> Iterator[None]:
    """For work that is simply done again after a power cut: commits need not wait for the disk.

    Each transaction stays whole; only the last ones may be missing afterwards, and then their work is
    pending again. Commits outside this context (uploads!) are on disk before they are acknowledged.
    """
    if connection.in_atomic_block:
        # The commit is the caller's, and so is the choice.
        yield
        return
    relax, restore = _STATEMENTS[connection.vendor]
    _run(relax)
    try:
        yield
    finally:
        _run(restore)


@contextmanager
def traceless_deletes() -> Iterator[None]:
    """What is deleted here stays in no page of SQLite's file, which is so for all connections (secure_delete
    in agnes/settings.py), nor in its log once everybody has read on.

    PostgreSQL overwrites deleted rows in its own time.
    """
    try:
        yield
    finally:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            empty_log()


def rewrite_database() -> bool:
    """SQLite's file without anything that was ever deleted, also before secure_delete was on, and its log
    emptied. Others wait meanwhile. False where somebody reads or writes for too long.

    In a transaction, and with PostgreSQL, nothing is done.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return True
    try:
        _run(["VACUUM"])
    except OperationalError as error:
        log.warning("The database could not be rewritten: %s", error)
        return False
    return empty_log(patience_ms=30_000)


def empty_log(*, patience_ms: int = 2000) -> bool:
    """SQLite's log into its file. False where somebody reads or writes for longer than that."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        [before] = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            [busy, *_] = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={before}")
    return not busy


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# SQLite: the log may grow to 40 MB before its pages are copied into the database.
_STATEMENTS = {
    "sqlite": (
        ["PRAGMA synchronous=NORMAL", "PRAGMA wal_autocheckpoint=10000"],
        ["PRAGMA wal_autocheckpoint=1000", "PRAGMA synchronous=FULL"],
    ),
    "postgresql": (["SET synchronous_commit TO off"], ["SET synchronous_commit TO DEFAULT"]),
}
