"""The index of one transcript: which lines stand on which page, and what each turn took.

A small SQLite file. It holds positions and figures and no words, but names of unknown record types.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

# Raise it when indexes of before mean something else.
INDEX_VERSION = 2

SCHEMA = """
CREATE TABLE places (page INTEGER, line INTEGER, part INTEGER, offset INTEGER, length INTEGER,
    only_answers INTEGER, PRIMARY KEY (page, line)) WITHOUT ROWID;
CREATE TABLE turns (number INTEGER PRIMARY KEY, page INTEGER, line INTEGER, messages INTEGER,
    input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_creation_tokens INTEGER);
CREATE TABLE about (content BLOB);
"""


class IndexLost(Exception):
    """The file is missing, or is no such index: make it again."""


class Place(NamedTuple):
    """Where a line stands: the number of its part, from 0, and raw bytes in that part. A page that has it
    because it `only_answers` calls of that page shows nothing else of it."""

    line: int
    part: int
    offset: int
    length: int
    only_answers: bool = False


class Turn(NamedTuple):
    """A prompt and all that was done until the next one. Each API message counts once, in the turn in which
    it begins. Turn 0 is what stands before the first prompt."""

    number: int
    page: int
    line: int
    messages: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0


class Mark(msgspec.Struct, array_like=True):
    """So many things of one kind in one stretch of the time line; the first stands on this page and line."""

    stretch: int
    count: int
    page: int
    line: int


class About(msgspec.Struct):
    """What is known of the whole transcript. Times are milliseconds since 1970 UTC. `left_out` and `unknown`
    count records by type: those that no page shows, and those of types that are not known. `copies` are core
    records whose uuid came before. `marks` are those of prompts, calls and errors."""

    pages: int = 1
    lines: int = 0
    broken_lines: int = 0
    unfinished_lines: list[int] = []
    first_ms: int | None = None
    last_ms: int | None = None
    left_out: dict[str, int] = {}
    unknown: dict[str, int] = {}
    copies: int = 0
    marks: dict[str, list[Mark]] = {}


class Index:
    """An index that was made. Raises IndexLost where the file is missing or is no such index."""

    def __init__(self, path: Path) -> None:
        try:
            self._database = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
            self.about = self._read_about()
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise IndexLost(str(error)) from error

    def _read_about(self) -> About:
        try:
            row = self._database.execute("SELECT content FROM about").fetchone()
            if row is None:
                raise IndexLost("it is empty")
            return msgspec.msgpack.decode(row[0], type=About)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> "Index":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def places(self, page: int) -> list[Place]:
        """The lines that a page is made of, in file order: its own, and those that answer its calls."""
        return self._places("page = ? ORDER BY line", page)

    def place(self, line: int) -> Place | None:
        """Where a line stands that some page shows."""
        return next(iter(self._places("line = ? LIMIT 1", line)), None)

    def _places(self, which: str, number: int) -> list[Place]:
        rows = self._all(
            f"SELECT line, part, offset, length, only_answers FROM places WHERE {which}", (number,)
        )
        return [Place(*row) for row in rows]

    def turns(self, page: int) -> list[Turn]:
        """The turns that begin on a page."""
        return [
            Turn(*row) for row in self._all("SELECT * FROM turns WHERE page = ? ORDER BY number", (page,))
        ]

    def turn_before(self, page: int) -> Turn | None:
        """The turn that is under way when a page begins."""
        rows = self._all("SELECT * FROM turns WHERE page < ? ORDER BY number DESC LIMIT 1", (page,))
        return Turn(*rows[0]) if rows else None

    def _all(self, statement: str, values: Sequence[Any]) -> list[Any]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise IndexLost(str(error)) from error


class IndexWriter:
    """Writes an index into an empty file; it is whole once `finish` has returned."""

    AT_ONCE = 1000

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        # The file is thrown away where it is not finished, so nothing must survive a crash.
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;" + SCHEMA)
        self._places: list[tuple[int, ...]] = []

    def add_place(self, page: int, place: Place) -> None:
        self._places.append((page, *place))
        if len(self._places) >= self.AT_ONCE:
            self._write_places()

    def add_turn(self, turn: Turn) -> None:
        self._database.execute("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?)", turn)

    def add_messages(self, messages: Iterable[tuple[int, int, int, int, int]]) -> None:
        """Add messages to their turns: four token counts, in the order of Turn, and the turn's number."""
        self._database.executemany(
            "UPDATE turns SET messages = messages + 1, input_tokens = input_tokens + ?,"
            " output_tokens = output_tokens + ?, cache_read_tokens = cache_read_tokens + ?,"
            " cache_creation_tokens = cache_creation_tokens + ? WHERE number = ?",
            messages,
        )

    def finish(self, about: About) -> None:
        self._write_places()
        self._database.execute("INSERT INTO about VALUES (?)", (msgspec.msgpack.encode(about),))
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()

    def _write_places(self) -> None:
        # A line that answers two calls of one page is wanted there once.
        self._database.executemany("INSERT OR IGNORE INTO places VALUES (?, ?, ?, ?, ?, ?)", self._places)
        self._places.clear()
