"""Private keys: what stands between BEGIN and END, over however many lines, numbered or quoted ones too."""

import re
from collections.abc import Iterator

from agnes.cli.redaction.views import Span

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|Private-Lines: \d+")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
SHORTEST_LINE = 16
_RUN = re.compile(rf"[A-Za-z0-9+/=]{{{SHORTEST_LINE},}}")
# The last line of a key may be short.
_SHORT_RUN = re.compile(r"[A-Za-z0-9+/=]{4,}")
LONGEST_KEY = 20_000
# What may stand between two lines of a key: line ends, quotes, numbers of lines.
_GAP = re.compile(r"[^A-Za-z+/=]{0,40}")


def may_be_in(text: str) -> bool:
    return "PRIVATE KEY" in text or "Private-Lines" in text


def found_in(text: str) -> Iterator[list[Span]]:
    """The lines of each key."""
    if not may_be_in(text):
        return
    ends = [match.start() for match in _END.finditer(text)]
    begins = [match.end() for match in _BEGIN.finditer(text)]
    for begin in begins:
        end = next((it for it in ends if begin <= it <= begin + LONGEST_KEY), None)
        lines = _whole(text, begin, end) if end is not None else _cut_off(text, begin)
        if lines:
            yield lines
    for end in ends:
        if not any(end - LONGEST_KEY <= begin <= end for begin in begins) and (lines := _headless(text, end)):
            yield lines


def _whole(text: str, begin: int, end: int) -> list[Span]:
    return [match.span() for match in _SHORT_RUN.finditer(text, begin, end)]


def _cut_off(text: str, begin: int) -> list[Span]:
    """Its end is not in the text."""
    lines: list[Span] = []
    at = begin
    for match in _RUN.finditer(text, begin, begin + LONGEST_KEY):
        if not _GAP.fullmatch(text, at, match.start()):
            break
        lines.append(match.span())
        at = match.end()
    return lines


def _headless(text: str, end: int) -> list[Span]:
    """Its beginning is not in the text."""
    runs = [match.span() for match in _SHORT_RUN.finditer(text, max(0, end - LONGEST_KEY), end)]
    lines: list[Span] = []
    at = end
    for start, stop in reversed(runs):
        is_long = stop - start >= SHORTEST_LINE or not lines
        if not (is_long and _GAP.fullmatch(text, stop, at)):
            break
        lines.append((start, stop))
        at = start
    return lines
