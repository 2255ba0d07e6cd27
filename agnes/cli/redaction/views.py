"""A line of JSON as it reads once its escapes are undone, however often they were made.

A transcript quotes files and the output of commands, which may be JSON themselves: a line end in them is
`\\n`, or `\\\\n`, or `\\u000a`. Each stands here as the one character that it means, and knows where it came
from.
"""

import re
from bisect import bisect_right

_ESCAPE = re.compile(r"""\\+(?:u[0-9a-fA-F]{4}|["'\\/bfnrt])""")
_MEANING = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
Span = tuple[int, int]


class View:
    """`text`, and where its characters stand in what it was made of."""

    def __init__(self, raw: str) -> None:
        pieces: list[str] = []
        # Where pieces of `text` begin, where in `raw`, and how long those of one character are there.
        self._starts: list[int] = []
        self._raw_starts: list[int] = []
        self._escapes: list[int] = []
        position = at = 0
        for escape in _ESCAPE.finditer(raw):
            if escape.start() > position:
                at += self._add(pieces, at, raw[position : escape.start()], position, 0)
            at += self._add(pieces, at, _meant(escape[0]), escape.start(), len(escape[0]))
            position = escape.end()
        self._add(pieces, at, raw[position:], position, 0)
        self.text = "".join(pieces)

    def origin(self, span: Span) -> Span:
        """Where a part of the text stands in the raw line: never half of an escape."""
        start, end = span
        return self._raw(start)[0], self._raw(end - 1)[1]

    def _add(self, pieces: list[str], at: int, text: str, raw_start: int, escape: int) -> int:
        pieces.append(text)
        self._starts.append(at)
        self._raw_starts.append(raw_start)
        self._escapes.append(escape)
        return len(text)

    def _raw(self, index: int) -> Span:
        piece = bisect_right(self._starts, index) - 1
        start = self._raw_starts[piece]
        if self._escapes[piece]:
            return start, start + self._escapes[piece]
        start += index - self._starts[piece]
        return start, start + 1


def _meant(escape: str) -> str:
    if "u" in escape:
        return chr(int(escape[-4:], 16))
    return _MEANING.get(escape[-1], escape[-1])
