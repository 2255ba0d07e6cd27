"""Who finished what, as PostgreSQL itself notes it: one row for each time that the work on a transcript is
committed as done, with the name of the machine."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection

BEGIN = """
CREATE TABLE ledger (machine text, processor_name text, session_file text, revision int);
CREATE FUNCTION note_in_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger VALUES
        (current_setting('application_name'), NEW.processor_name, NEW.session_file, NEW.revision);
    RETURN NULL;
END $$;
CREATE TRIGGER note_in_ledger AFTER UPDATE ON session_processor_state FOR EACH ROW
    WHEN (OLD.processed_at IS NULL AND NEW.processed_at IS NOT NULL) EXECUTE FUNCTION note_in_ledger();
"""
END = """
DROP TRIGGER note_in_ledger ON session_processor_state;
DROP FUNCTION note_in_ledger;
DROP TABLE ledger;
"""


class Done(NamedTuple):
    processor_name: str
    session_file: str
    revision: int


@contextmanager
def kept() -> Iterator[None]:
    _execute(BEGIN)
    try:
        yield
    finally:
        _execute(END)


def machines() -> set[str]:
    """Those that finished anything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT machine FROM ledger")
        return {machine for (machine,) in cursor.fetchall()}


def times() -> Counter[Done]:
    """How many times each was done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT processor_name, session_file, revision FROM ledger")
        return Counter(Done(*row) for row in cursor.fetchall())


def _execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements)
