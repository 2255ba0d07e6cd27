"""From bytes to records: lines, documents, and what could not be read (docs/COUNTING.md section 1)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from telemetry.transcripts.records import STRICT_JSON, Record, decode_record, lenient_record

# Forty times the longest line measured (1.6 MB). What is longer is cut here, and so is malformed: memory
# stays bounded however hostile the file.
MAX_LINE_BYTES = 64 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r"

T = TypeVar("T")


class ObjectReader(Generic[T]):
    """Iterates over the objects of one file, once. `decode` reads a line quickly or refuses it; `lenient`
    takes any JSON object.

    Afterwards `lines`, `malformed_lines` and `truncated_tail` say what was met. While iterating,
    `line_number` is the 1-based number of the line that the current object stands on.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        decode: Callable[[bytes], T],
        lenient: Callable[[dict[str, Any]], T],
    ) -> None:
        self._chunks = chunks
        self._decode = decode
        self._lenient = lenient
        self.lines = 0
        self.malformed_lines = 0
        self.truncated_tail = False
        self.first_malformed_line: int | None = None
        self.line_number = 0

    def __iter__(self) -> Iterator[T]:
        decode = self._decode
        last: bytes = b""
        for batch in split_lines(self._chunks):
            last = batch.pop()
            for line in batch:
                self.line_number += 1
                try:
                    found = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    yield from self._read_hard_line(line)
                else:
                    self.lines += 1
                    yield found
        self.line_number += 1
        yield from self._read_last_piece(last)

    def _read_hard_line(self, line: bytes) -> list[T]:
        """A line that msgspec refuses: blank, several documents, odd types, bytes that are not UTF-8, ..."""
        if not line.strip(BLANK):
            return []
        objects, malformed = read_documents(line)
        self.lines += 1
        if malformed:
            self.malformed_lines += 1
            self.first_malformed_line = self.first_malformed_line or self.line_number
        return [self._lenient(value) for value in objects]

    def _read_last_piece(self, piece: bytes) -> list[T]:
        """What follows the last line end: a whole line that only lacks it, or one that is still written."""
        if not piece.strip(BLANK):
            return []
        objects, malformed = read_documents(piece)
        if malformed:
            self.truncated_tail = True
            return []
        self.lines += 1
        return [self._lenient(value) for value in objects]


class RecordReader(ObjectReader[Record]):
    """Iterates over the records of one file, once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__(chunks, decode_record, lenient_record)


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


def read_documents(line: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The objects that stand on a line one after another, and whether anything else stands there."""
    text = line.decode("utf-8", "replace")
    objects: list[dict[str, Any]] = []
    malformed = False
    position = _skip_space(text, 0)
    while position < len(text):
        try:
            value, position = STRICT_JSON.raw_decode(text, position)
        except (ValueError, RecursionError):
            return objects, True
        if isinstance(value, dict):
            objects.append(value)
        else:
            malformed = True
        position = _skip_space(text, position)
    return objects, malformed


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r":
        position += 1
    return position
