"""What libraries, the system and the database say of a disk that takes no more, as our own errors."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError, connection

from accounts.errors import AgnesError, DiskFull, DiskReadOnly

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS,)
# SQLite's words, and PostgreSQL's codes: disk_full, read_only_sql_transaction.
FULL_WORDS, FULL_STATE = "database or disk is full", "53100"
READ_ONLY_WORDS, READ_ONLY_STATE = "attempt to write a readonly database", "25006"
# What SQLite says where it cannot make the files beside the database that it needs even to read it.
CANNOT_OPEN = "unable to open database file"


def disk_trouble(error: BaseException) -> AgnesError | None:
    """DiskFull or DiskReadOnly where that is what went wrong, also behind what was raised because of it."""
    for cause in _causes(error):
        if _is(cause, FULL, FULL_WORDS, FULL_STATE):
            return DiskFull()
        if _is(cause, READ_ONLY, READ_ONLY_WORDS, READ_ONLY_STATE):
            return DiskReadOnly()
        if CANNOT_OPEN in str(cause) and _folder_of_database_is_read_only():
            return DiskReadOnly()
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is(error: BaseException, numbers: tuple[int, ...], words: str, state: str) -> bool:
    if isinstance(error, OSError):
        return error.errno in numbers
    if isinstance(error, DatabaseError):
        return words in str(error) or getattr(error.__cause__, "sqlstate", None) == state
    return False


def _folder_of_database_is_read_only() -> bool:
    if connection.vendor != "sqlite":
        return False
    folder = Path(connection.settings_dict["NAME"]).parent
    return folder.is_dir() and not os.access(folder, os.W_OK)
