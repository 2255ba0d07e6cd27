"""Transactions whose statements all see the same rows."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import OperationalError, connection, transaction

from telemetry.database.bulk import execute
from telemetry.errors import ClaimLost


@contextmanager
def reading() -> Iterator[None]:
    """A transaction on one snapshot that writes to temporary tables alone.

    On SQLite, where one writes at a time, nobody waits for it: it does not begin as a writer.
    """
    with _beginning_as_reader(connection) if connection.vendor == "sqlite" else nullcontext(), one_snapshot():
        yield


@contextmanager
def _beginning_as_reader(sqlite: Any) -> Iterator[None]:
    mode = sqlite.transaction_mode
    sqlite.transaction_mode = "DEFERRED"
    try:
        yield
    finally:
        sqlite.transaction_mode = mode


@contextmanager
def one_snapshot() -> Iterator[None]:
    """A transaction of a publisher on one snapshot.

    SQLite's has one by itself. On PostgreSQL it may meet a publisher that took over at this
    very moment: the database tells, and then this one has lost its claim.
    """
    ours = not connection.in_atomic_block
    try:
        with transaction.atomic():
            if ours and connection.vendor == "postgresql":
                execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == "40001":
            raise ClaimLost("Another publisher took over.") from error
        raise
