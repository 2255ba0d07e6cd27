"""What was sent, to whom, and what became of it: a small database, written after each success.

A row is what is known of a file when it had this size and time of change. A push that is killed before it has
written one sends that file again, and the server answers that it is the same.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from agnes.cli import folders
from agnes.cli.errors import LocalTrouble
from agnes.cli.transcripts import Origin, Transcript

SCHEMA = """
CREATE TABLE IF NOT EXISTS transcripts (
    account TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    state TEXT NOT NULL, session TEXT NOT NULL, sha256 TEXT NOT NULL, redacted INTEGER NOT NULL,
    reason TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (account, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origins (
    path TEXT PRIMARY KEY, session TEXT NOT NULL, folder TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (
    account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (account, name)
) WITHOUT ROWID;
"""


class State(StrEnum):
    SENT = "sent"
    # The server will never take it as it is.
    REFUSED = "refused"
    # Nothing in it to send: no message yet, or nothing but copies of private sessions.
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Entry:
    size: int
    mtime_ns: int
    state: State
    session: str
    sha256: str = ""
    redacted: int = 0
    reason: str = ""
    at: str = ""

    def is_of(self, transcript: Transcript) -> bool:
        """Whether the file is as it was then."""
        return (self.size, self.mtime_ns) == (transcript.size, transcript.mtime_ns)


class Ledger:
    """Raises LocalTrouble, whatever is done with it."""

    def __init__(self, connection: sqlite3.Connection, account: str) -> None:
        self._connection = connection
        self._account = account

    def entries(self) -> dict[str, Entry]:
        """By path."""
        rows = self._connection.execute(
            "SELECT path, size, mtime_ns, state, session, sha256, redacted, reason, at"
            " FROM transcripts WHERE account = ?",
            [self._account],
        )
        return {path: Entry(size, mtime, State(state), *rest) for path, size, mtime, state, *rest in rows}

    def write(self, path: str, entry: Entry) -> None:
        now = entry.at or datetime.now(UTC).isoformat(timespec="seconds")
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO transcripts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [self._account, path, entry.size, entry.mtime_ns, entry.state.value, entry.session,
                 entry.sha256, entry.redacted, entry.reason, now],
            )  # fmt: skip

    def forget_session(self, session: str) -> None:
        """Of all accounts: as if its files had never been seen."""
        with self._connection:
            self._connection.execute("DELETE FROM transcripts WHERE session = ?", [session])

    def origins(self) -> dict[str, Origin]:
        rows = self._connection.execute("SELECT path, session, folder FROM origins")
        return {path: Origin(session, folder) for path, session, folder in rows}

    def write_origins(self, origins: Mapping[str, Origin]) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO origins VALUES (?, ?, ?)",
                [(path, it.session, it.folder) for path, it in origins.items()],
            )

    def notes(self) -> dict[str, Any]:
        rows = self._connection.execute("SELECT name, value FROM notes WHERE account = ?", [self._account])
        return {name: json.loads(value) for name, value in rows}

    def note(self, values: Mapping[str, Any]) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO notes VALUES (?, ?, ?)",
                [(self._account, name, json.dumps(value)) for name, value in values.items()],
            )


@contextmanager
def open_ledger(account: str) -> Iterator[Ledger]:
    """Of one account; '' for what concerns none. Raises LocalTrouble."""
    path = _path()
    folders.make_folder(path.parent)
    try:
        connection = sqlite3.connect(path, timeout=30)
        try:
            path.chmod(0o600)
            # A row that a power cut takes is sent again, and is the same there.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(SCHEMA)
            yield Ledger(connection, account)
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:
        raise LocalTrouble(
            f"{path} cannot be used: {error}.",
            "If it is damaged, remove it: the next push asks the server what it has already.",
        ) from error
    except OSError as error:
        raise folders.unwritable(path, error) from error


def _path() -> Path:
    return folders.state_folder() / "ledger.sqlite3"
