"""Straight to the database where the model layer would take most of the time.

Values must be what the database takes: strings, numbers, booleans, None; moments by `db_moment` or `db_now`,
UUIDs as 32 hex digits.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from django.db import connection, models
from django.utils import timezone

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]
ROWS_AT_ONCE = 1000
# So many values in one `IN (...)` at most: SQLite takes 32 766 parameters.
IN_LIMIT = 10_000
_EPOCH = datetime(1970, 1, 1)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows whose values stand in the order of `columns`."""
    insert_into(model._meta.db_table, columns, rows)


def insert_into(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """The same by the table's name: COPY on PostgreSQL, one prepared statement on SQLite."""
    quote = connection.ops.quote_name
    table = quote(table)
    names = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        placeholders = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({placeholders})"
        rows = iter(rows)
        # Django's cursor holds all rows it is given: give it a few at a time.
        while some := list(islice(rows, ROWS_AT_ONCE)):
            cursor.executemany(statement, some)


def execute(statement: str, values: Values = ()) -> int:
    """Run one statement; the number of rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def fetch(query: str, values: Values = ()) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


@lru_cache(maxsize=4096)
def db_moment(milliseconds: int | None) -> str | None:
    """Milliseconds since 1970 UTC as both databases take a moment."""
    if milliseconds is None:
        return None
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(" ") + _zone()


def db_now(later: timedelta = timedelta(0)) -> str:
    """This moment, or one so much later, as both databases take it."""
    return (timezone.now() + later).replace(tzinfo=None).isoformat(" ") + _zone()


@cache
def _zone() -> str:
    """SQLite keeps UTC moments without a zone."""
    return "+00" if connection.vendor == "postgresql" else ""
