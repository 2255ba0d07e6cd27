"""Who was erased, and which sessions may not be here, as a file in the data folder: one line of JSON each.

The tables `erasures` and `withheld_sessions` say the same, but are replaced when a backup is restored.
Whoever keeps this file with the backups can have it brought in by `restore --erasures FILE`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from accounts import secret_files
from accounts.erasing import people
from accounts.models import Erasure
from telemetry.errors import NoListOfErasures
from telemetry.models import WithheldSession

NAME = "erasures.ndjson"


class ErasedEntry(msgspec.Struct, frozen=True):
    """As the columns of the table."""

    person: int
    account_hash: str
    email_hash: str
    begun_at: datetime


class WithheldEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """As the columns of the table, with the hash that tells whose account it is."""

    person: int
    account_hash: str
    session_id: str
    reason: str
    at: datetime
    fingerprint: bytes
    readmitted_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.account_hash, self.session_id

    @property
    def version(self) -> tuple[datetime, int]:
        """Of two entries with the same key the one with the higher version holds."""
        return self.readmitted_at or self.at, len(self.fingerprint)


Entry = ErasedEntry | WithheldEntry


@dataclass(frozen=True)
class Known:
    erased: list[ErasedEntry]
    withheld: list[WithheldEntry]


def path() -> Path:
    return Path(settings.DATA_DIR, NAME)


def read(file: Path) -> list[Entry]:
    """Raises NoListOfErasures."""
    try:
        return [_entry(line) for line in file.read_bytes().splitlines() if line]
    except (OSError, msgspec.MsgspecError) as error:
        raise NoListOfErasures(file, str(error)) from error


def known(*more: Path) -> Known:
    """What the tables say, this file, and those. Raises NoListOfErasures."""
    files = [path()] if path().exists() else []
    entries = [*_erased(), *withheld_here(), *(entry for file in (*files, *more) for entry in read(file))]
    erased = {entry.account_hash: entry for entry in entries if isinstance(entry, ErasedEntry)}
    # With a person their sessions are forgotten.
    of_others = [it for it in entries if isinstance(it, WithheldEntry) and it.account_hash not in erased]
    withheld = {entry.key: entry for entry in sorted(of_others, key=lambda it: it.version)}
    return Known(
        sorted(erased.values(), key=lambda it: it.begun_at), sorted(withheld.values(), key=lambda it: it.at)
    )


def withheld_here() -> Iterator[WithheldEntry]:
    """What the table says."""
    for row in WithheldSession.objects.select_related("user").order_by("pk"):
        yield WithheldEntry(
            row.user_id,
            people.account_hash(row.user),
            row.session_id,
            row.reason,
            row.at,
            bytes(row.fingerprint),
            row.readmitted_at,
        )


def write(*more: Path) -> None:
    """Bring the file up to date; no erased person is ever taken off it. Raises NoListOfErasures."""
    with _alone():
        secret_files.remove_leftovers(path())
        found = known(*more)
        lines = [msgspec.json.encode(entry).decode() for entry in (*found.erased, *found.withheld)]
        if lines:
            secret_files.replace(path(), "\n".join(lines) + "\n")


def _entry(line: bytes) -> Entry:
    columns = msgspec.json.decode(line, type=dict[str, Any])
    if "session_id" in columns:
        return msgspec.convert(columns, WithheldEntry)
    return msgspec.convert(columns, ErasedEntry)


def _erased() -> Iterator[ErasedEntry]:
    for row in Erasure.objects.order_by("pk"):
        yield ErasedEntry(row.person, row.account_hash, row.email_hash, row.begun_at)


@contextmanager
def _alone() -> Iterator[None]:
    """Whoever writes it has read what all who wrote before had read."""
    lock = os.open(path().with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
