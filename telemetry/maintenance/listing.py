"""Who was erased, as a file in the data folder: one line of JSON each, of ids and hashes only.

The table `erasures` says the same, but is replaced when a backup is restored. Whoever keeps this file with
the backups can have it brought in by `restore --erasures FILE`.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from django.conf import settings

from accounts import secret_files
from accounts.models import Erasure
from telemetry.errors import NoListOfErasures

NAME = "erasures.ndjson"


class Entry(msgspec.Struct, frozen=True):
    """As the columns of the table."""

    person: int
    account_hash: str
    email_hash: str
    begun_at: datetime


def path() -> Path:
    return Path(settings.DATA_DIR, NAME)


def read(file: Path) -> list[Entry]:
    """Raises NoListOfErasures."""
    try:
        return [msgspec.json.decode(line, type=Entry) for line in file.read_bytes().splitlines() if line]
    except (OSError, msgspec.MsgspecError) as error:
        raise NoListOfErasures(file, str(error)) from error


def known(*more: Path) -> list[Entry]:
    """What the table says, this file, and those. Raises NoListOfErasures."""
    files = [path()] if path().exists() else []
    entries = [*_of_table(), *(entry for file in (*files, *more) for entry in read(file))]
    return sorted({entry.account_hash: entry for entry in entries}.values(), key=lambda it: it.begun_at)


def write(*more: Path) -> None:
    """Bring the file up to date; nobody is ever taken off it."""
    if entries := known(*more):
        lines = [msgspec.json.encode(entry).decode() for entry in entries]
        secret_files.replace(path(), "\n".join(lines) + "\n")


def _of_table() -> Iterator[Entry]:
    for row in Erasure.objects.order_by("pk"):
        yield Entry(row.person, row.account_hash, row.email_hash, row.begun_at)
