"""Transactions whose statements all see the same rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from telemetry.database.bulk import execute
from telemetry.errors import ClaimLost


@contextmanager
def one_snapshot() -> Iterator[None]:
    """A transaction of a publisher on one snapshot.

    SQLite's does so by itself, and writes alone. On PostgreSQL it may meet a publisher that took over at this
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
