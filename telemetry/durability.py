"""How soon a commit must be on disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


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
