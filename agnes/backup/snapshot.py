"""A second connection to the database that sees one moment of it, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

ALIAS = "backup"


@contextmanager
def snapshot() -> Iterator[str]:
    """Gives the name of a connection on which everything is read as it is now, and nothing can be written."""
    reader: Any = connection.copy(alias=ALIAS)
    if reader.vendor == "sqlite":
        # It takes no lock: other transactions of Agnes begin with that of writers.
        reader.settings_dict["OPTIONS"] |= {
            "transaction_mode": "DEFERRED",
            "init_command": "PRAGMA query_only = ON;",
        }
    connections[ALIAS] = reader
    try:
        with transaction.atomic(using=ALIAS):
            _hold_still(reader)
            yield ALIAS
    finally:
        reader.close()
        del connections[ALIAS]


def _hold_still(reader: Any) -> None:
    with reader.cursor() as cursor:
        if reader.vendor == "postgresql":
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # The moment is that of the first statement that reads.
        cursor.execute("SELECT count(*) FROM django_migrations")
