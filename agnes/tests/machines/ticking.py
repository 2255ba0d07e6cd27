"""A task that leaves a row each time it runs: its effect, which the queue's own rows would tell only once
where one task ran twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

TASK = "agnes.tests.machines.ticking.tick"


def tick() -> None:
    _execute("INSERT INTO ticks VALUES (now())")


@contextmanager
def noted() -> Iterator[None]:
    _execute("CREATE TABLE ticks (at timestamptz)")
    try:
        yield
    finally:
        _execute("DROP TABLE ticks")


def times() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM ticks ORDER BY at")
        return [at for (at,) in cursor.fetchall()]


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
