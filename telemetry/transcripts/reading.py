"""From bytes to records: lines, documents, and what could not be read (docs/COUNTING.md section 1)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from telemetry.transcripts.records import STRICT_JSON, Record, decode_record, lenient_record

# Forty times the longest line measured (1.6 MB). What is longer is cut here, and so is malformed: memory
# stays bounded however hostile the file.
MAX_LINE_BYTES = 64 * 1024 * 1024
# Real lines hold some thousand objects and lists, and one document or two.
MAX_BRACKETS = 500_000
MAX_DOCUMENTS = 1000
BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r"

T = TypeVar("T")


class TooManyLines(ValueError):
    """The file has more lines, or more damaged ones, than the reader was told to take; `line` is the first
    one too many."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class ObjectReader(Generic[T]):
    """Iterates over the objects of one file, once. `decode` reads a line quickly or refuses it; `lenient`
    takes any JSON object. Iterating raises TooManyLines beyond `line_limit`, and where more than
    `malformed_limit` lines are malformed.

    Afterwards `lines`, `malformed_lines` and `truncated_tail` say what was met. While iterating,
    `line_number` is the 1-based number of the line that the current object stands on. `non_object` is the
    first JSON value that is no object, as the number of its line and its kind; `is_binary` says that the
    first line that is malformed is no text.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        decode: Callable[[bytes], T],
        lenient: Callable[[dict[str, Any]], T],
        line_limit: int | None = None,
        malformed_limit: int | None = None,
    ) -> None:
        self._chunks = chunks
        self._line_limit = line_limit
        self._malformed_limit = malformed_limit
        self._decode = decode
        self._lenient = lenient
        self.lines = 0
        self.malformed_lines = 0
        self.truncated_tail = False
        self.first_malformed_line: int | None = None
        self.non_object: tuple[int, str] | None = None
        self.is_binary = False
        self.line_number = 0

    def __iter__(self) -> Iterator[T]:
        decode = self._decode
        last: bytes = b""
        for batch in split_lines(self._chunks):
            last = batch.pop()
            self._check_length(len(batch))
            if are_blank(batch):
                self.line_number += len(batch)
                continue
            for line in batch:
                self.line_number += 1
                if is_overfull(line):
                    yield from self._read_hard_line(line)
                    continue
                try:
                    found = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    yield from self._read_hard_line(line)
                else:
                    self.lines += 1
                    yield found
        self.line_number += 1
        yield from self._read_last_piece(last)

    def _check_length(self, more: int) -> None:
        if self._line_limit is not None and self.line_number + more > self._line_limit:
            raise TooManyLines(f"the file has more than {self._line_limit} lines", self._line_limit + 1)

    def _read_hard_line(self, line: bytes) -> Iterator[T]:
        """A line that msgspec refuses: blank, several documents, odd types, bytes that are not UTF-8, ..."""
        if not line.strip(BLANK):
            return
        self.lines += 1
        documents = Documents(line)
        for value in documents:
            yield self._lenient(value)
        if documents.malformed:
            self.malformed_lines += 1
            if self.first_malformed_line is None:
                self.first_malformed_line, self.is_binary = self.line_number, not is_text(line)
            self._note_non_object(documents)
            self._check_malformed()

    def _note_non_object(self, documents: "Documents") -> None:
        if documents.non_object and self.non_object is None:
            self.non_object = (self.line_number, documents.non_object)

    def _check_malformed(self) -> None:
        if self._malformed_limit is not None and self.malformed_lines > self._malformed_limit:
            raise TooManyLines(
                f"more than {self._malformed_limit} lines of the file are damaged", self.line_number
            )

    def _read_last_piece(self, piece: bytes) -> Iterator[T]:
        """What follows the last line end: a whole line that only lacks it, or one that is still written."""
        if not piece.strip(BLANK):
            return
        documents = Documents(piece)
        values = list(documents)
        if documents.malformed:
            self.truncated_tail = True
            self.is_binary = self.is_binary or not (self.lines or is_text(piece))
            self._note_non_object(documents)
            return
        self.lines += 1
        for value in values:
            yield self._lenient(value)


class RecordReader(ObjectReader[Record]):
    """Iterates over the records of one file, once."""

    def __init__(
        self,
        chunks: Iterable[bytes],
        line_limit: int | None = None,
        malformed_limit: int | None = None,
    ) -> None:
        super().__init__(chunks, decode_record, lenient_record, line_limit, malformed_limit)


def split_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lists of lines in file order. The last element of each list is what is left of it: only that of the
    last list means something, the piece after the last line end. A byte order mark is dropped.
    """
    pieces: list[bytes] = []
    length = 0
    for chunk in without_bom(chunks):
        lines = chunk.split(b"\n")
        pieces.append(lines[0][: MAX_LINE_BYTES - length])
        length += len(pieces[-1])
        if len(lines) > 1:
            lines[0] = b"".join(pieces)
            pieces = [lines[-1]]
            length = len(pieces[0])
            yield lines
    yield [b"".join(pieces)]


def without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(chunks)
    start = b""
    for chunk in rest:
        start += chunk
        if len(start) >= len(BOM):
            break
    yield start.removeprefix(BOM)
    yield from rest


def are_blank(lines: list[bytes]) -> bool:
    """Whether these lines are all blank. Read one by one, endless blank lines would keep a thread busy; here
    others cost no more than a look at the first."""
    return bool(lines) and not lines[0].strip(BLANK) and not b"".join(lines).strip(BLANK)


def is_text(line: bytes) -> bool:
    try:
        return "\0" not in line.decode()
    except UnicodeDecodeError:
        return False


def is_overfull(line: bytes) -> bool:
    """Whether so many objects and lists begin in a line that building them would take too much memory."""
    return len(line) > MAX_BRACKETS and line.count(b"{") + line.count(b"[") > MAX_BRACKETS


class Documents:
    """The objects that stand on a line one after another. After iterating, `malformed` tells whether anything
    else stands there, and `non_object` which kind of JSON value it is, if it is one."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self.malformed = False
        self.non_object: str | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if is_overfull(self._line):
            self.malformed = True
            return
        text = self._line.decode("utf-8", "replace")
        position = _skip_space(text, 0)
        for _ in range(MAX_DOCUMENTS):
            if position >= len(text):
                return
            try:
                value, position = STRICT_JSON.raw_decode(text, position)
            except (ValueError, RecursionError):
                self.malformed = True
                return
            if isinstance(value, dict):
                yield value
            else:
                self.malformed = True
                self.non_object = self.non_object or ("list" if isinstance(value, list) else "value")
            position = _skip_space(text, position)
        self.malformed = self.malformed or position < len(text)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r":
        position += 1
    return position
