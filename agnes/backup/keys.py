"""Sets of keys of stored files, on disk: there may be millions."""

import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType


class KeySet:
    """Keys, each with the number of the moment at which it was last seen. Close it."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        # A file without a name, which goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, moment INTEGER) WITHOUT ROWID")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO keys VALUES (?, 0)", ((key,) for key in keys))

    def __enter__(self) -> "KeySet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def __contains__(self, key: str) -> bool:
        return self._database.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._database.execute("SELECT key FROM keys ORDER BY key"))

    def see(self, key: str, moment: int) -> bool:
        """Whether it is there; noted as seen at this moment then."""
        changed = self._database.execute("UPDATE keys SET moment = ? WHERE key = ?", (moment, key))
        return changed.rowcount > 0

    def add(self, key: str, moment: int = 0) -> None:
        self._database.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (key, moment))

    def not_seen_since(self, moment: int) -> list[str]:
        rows = self._database.execute("SELECT key FROM keys WHERE moment < ? ORDER BY key", (moment,))
        return [key for (key,) in rows]
