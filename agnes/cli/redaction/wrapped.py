"""Credentials that a line end breaks, such as a terminal that is too narrow does."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from agnes.cli.redaction.families import ADDRESS, Family
from agnes.cli.redaction.views import Span

# With what stands around it: indentation, a quote that goes on, the number of the next line.
_BREAK = re.compile(r"\\?[ \t]*\r?\n[ \t]*(?:\d{1,6}(?:→|\t|: ?|\| ?))?[ \t]*")
# Over more lines no credential goes that is not a private key.
MOST_LINES = 8
SHORTEST_PIECE = 4


def wrapped_in(text: str, families: Sequence[Family]) -> Iterator[tuple[str, list[Span]]]:
    """Those over more than one line, each as its pieces."""
    if "\n" not in text:
        return
    lines = _Lines(text)
    for family in families:
        if family is not ADDRESS:
            for number in sorted(lines.with_marks(family.marks)):
                if pieces := _longest(lines, family, number):
                    yield family.name, pieces


def _longest(lines: "_Lines", family: Family, first: int) -> list[Span]:
    """What begins on this line and goes furthest."""
    longest: list[Span] = []
    for count in range(2, MOST_LINES + 1):
        for pieces in lines.matches(family, first, count):
            if family.is_exact or all(_goes_on(lines.text, piece) for piece in pieces[1:]):
                longest = pieces
    return longest


def _goes_on(text: str, piece: Span) -> bool:
    """Letters and digits in a mixture that no word has, and no name that is given a value."""
    start, end = piece
    found = text[start:end]
    return (
        end - start >= SHORTEST_PIECE
        and any(it.isdigit() for it in found)
        and any(it.isalpha() for it in found)
        and text[end : end + 1] not in ("=", ":", "(")
    )


class _Lines:
    """The lines of a text, without what breaks them."""

    def __init__(self, text: str) -> None:
        self.text = text
        breaks = [match.span() for match in _BREAK.finditer(text)]
        starts = [0, *(end for _, end in breaks)]
        ends = [*(start for start, _ in breaks), len(text)]
        self._lines = list(zip(starts, ends, strict=True))
        self._joined = "".join(text[start:end] for start, end in self._lines)
        self._offsets = [0]
        for start, end in self._lines:
            self._offsets.append(self._offsets[-1] + end - start)

    def with_marks(self, marks: Sequence[str]) -> set[int]:
        """The numbers of the lines on which a mark begins, and of those before."""
        found = set()
        for mark in marks:
            at = self._joined.find(mark)
            while at >= 0:
                number = bisect_right(self._offsets, at) - 1
                found |= {number, max(0, number - 1)}
                at = self._joined.find(mark, at + 1)
        return found

    def matches(self, family: Family, first: int, count: int) -> Iterator[list[Span]]:
        """Credentials that begin on the line `first` and end on the last of so many."""
        lines = self._lines[first : first + count]
        if len(lines) < count:
            return
        joined = "".join(self.text[start:end] for start, end in lines)
        for match in family.pattern.finditer(joined):
            pieces = list(_pieces(lines, match.span(1)))
            if pieces[0][0] < lines[0][1] and pieces[-1][0] >= lines[-1][0] and len(pieces) == count:
                yield pieces


def _pieces(lines: Sequence[Span], span: Span) -> Iterator[Span]:
    at = 0
    for start, end in lines:
        first, last = max(span[0], at), min(span[1], at + end - start)
        if first < last:
            yield start + first - at, start + last - at
        at += end - start
