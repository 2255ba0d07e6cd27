"""A right that one worker at a time has: a row that expires unless it is renewed."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, connections

from telemetry.database.bulk import db_now, execute
from telemetry.errors import ClaimLost

log = logging.getLogger(__name__)


class Lease:
    """The row of `table` that has the values of `key`, which must be unique there."""

    def __init__(self, table: str, key: Mapping[str, object]) -> None:
        self.holder = f"{socket.gethostname()[:24]}:{os.getpid()}:{secrets.token_hex(6)}"
        self._table = table
        self._key = dict(key)
        self._renewed = monotonic()

    def take(self) -> bool:
        """False where another worker has it."""
        columns = ", ".join(self._key)
        statement = f"""
            INSERT INTO {self._table} AS lease ({columns}, holder, expires_at)
            VALUES ({", ".join("%s" for _ in self._key)}, %s, %s)
            ON CONFLICT ({columns}) DO UPDATE SET
                holder = excluded.holder, expires_at = excluded.expires_at
            WHERE lease.expires_at <= %s
        """
        return execute(statement, (*self._key.values(), self.holder, self._expiry(), db_now())) == 1

    def seize(self) -> None:
        """Take it from whoever has it: they find out when they renew it, at the latest before they commit.

        In a transaction: what its holder is committing at this moment is waited for.
        """
        columns = ", ".join(self._key)
        statement = f"""
            INSERT INTO {self._table} ({columns}, holder, expires_at)
            VALUES ({", ".join("%s" for _ in self._key)}, %s, %s)
            ON CONFLICT ({columns}) DO UPDATE SET
                holder = excluded.holder, expires_at = excluded.expires_at
        """
        execute(statement, (*self._key.values(), self.holder, self._expiry()))

    def renew(self) -> None:
        """Raises ClaimLost where it expired and another worker took it.

        In a transaction it also keeps others from taking it before the end, so that only its holder commits.
        """
        self._renewed = monotonic()
        statement = f"UPDATE {self._table} SET expires_at = %s WHERE {self._is_ours()}"
        if not execute(statement, (self._expiry(), *self._key.values(), self.holder)):
            raise ClaimLost("Another worker took over: this worker was slower than its claim lasts.")

    def keep_alive(self) -> None:
        """Renew when a third of the time has passed; cheap to call often."""
        if monotonic() - self._renewed > settings.PROCESSOR_CLAIM_SECONDS / 3:
            self.renew()

    def release(self) -> None:
        execute(f"DELETE FROM {self._table} WHERE {self._is_ours()}", (*self._key.values(), self.holder))

    def _is_ours(self) -> str:
        return " AND ".join(f"{column} = %s" for column in (*self._key, "holder"))

    def _expiry(self) -> str:
        return db_now(timedelta(seconds=settings.PROCESSOR_CLAIM_SECONDS))


@contextmanager
def held(lease: Lease) -> Iterator[bool]:
    """Take the lease for as long as this lasts; False where another worker has it."""
    if not lease.take():
        yield False
        return
    try:
        yield True
    finally:
        lease.release()


@contextmanager
def kept(lease: Lease) -> Iterator[None]:
    """Renew it while this lasts, from a thread: what is done meanwhile reads for long on one snapshot, where
    SQLite lets nobody write. Whoever lost it finds out with the next `renew` of its own."""
    over = Event()
    thread = Thread(target=_renew_until, args=(lease, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew_until(lease: Lease, over: Event) -> None:
    try:
        while not over.wait(settings.PROCESSOR_CLAIM_SECONDS / 3):
            try:
                lease.renew()
            except DatabaseError as error:
                log.warning("A lease could not be renewed this time: %s", error)
    except ClaimLost as error:
        log.warning("%s", error)
    finally:
        connections.close_all()
