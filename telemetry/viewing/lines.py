"""Lines with their places in the raw bytes, and the way back from a place to its bytes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from telemetry.transcripts.reading import BLANK, BOM

# Five times the longest line measured (1.6 MB). Longer ones are shown as raw text only.
LONGEST_READ = 8 * 1024 * 1024


class Line(NamedTuple):
    """A line that is not blank. `offset` and `length` are raw bytes, without the line end; `content` is cut
    where the line `is_too_long`; `has_end` says whether a line end follows."""

    number: int
    offset: int
    length: int
    content: bytes
    has_end: bool = True

    @property
    def is_too_long(self) -> bool:
        return self.length > LONGEST_READ


def lines_of(chunks: Iterable[bytes], first_number: int = 1) -> Iterator[Line]:
    """The lines of one file that are not blank, numbered with all others. Holds one line at a time."""
    begun = _BegunLine()
    number, offset = first_number, 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            begun.add(piece)
            line = begun.take(number, offset, has_end=True)
            if line.content.strip(BLANK):
                yield line
            number, offset = number + 1, offset + line.length + 1
        begun.add(rest)
    line = begun.take(number, offset, has_end=False)
    if line.content.strip(BLANK):
        yield line


class _BegunLine:
    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> None:
        room = LONGEST_READ - self._length
        if room > 0:
            self._pieces.append(piece[:room])
        self._length += len(piece)

    def take(self, number: int, offset: int, *, has_end: bool) -> Line:
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        line = Line(number, offset, self._length, without_bom(content, offset), has_end)
        self._pieces, self._length = [], 0
        return line


def without_bom(content: bytes, offset: int) -> bytes:
    return content if offset else content.removeprefix(BOM)


class RangeReader:
    """Ranges of a file that is read once, in chunks. Ranges must be asked for in their order."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._chunk_offset = 0

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """The bytes of a range, as they come; fewer where the file ends before."""
        end = offset + length
        while offset < end:
            if offset >= self._chunk_offset + len(self._chunk):
                if not self._next_chunk():
                    return
                continue
            piece = self._chunk[offset - self._chunk_offset : end - self._chunk_offset]
            yield piece
            offset += len(piece)

    def _next_chunk(self) -> bool:
        self._chunk_offset += len(self._chunk)
        self._chunk = next(self._chunks, b"")
        return bool(self._chunk)
