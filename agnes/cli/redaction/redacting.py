"""A line of a transcript without the credentials in it. What was JSON stays JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from agnes.cli.redaction import assigned, families, keys
from agnes.cli.redaction.views import Span, View
from agnes.cli.redaction.wrapped import wrapped_in

MARK = "[redacted]"


def redact(line: bytes) -> tuple[bytes, Counter[str]]:
    """The line, and how many credentials of which family were taken out of it."""
    # What is no UTF-8 stays as it is.
    text = line.decode("utf-8", "surrogateescape")
    marked = families.marked(text)
    # An escape such as \u005f may stand in the middle of a mark.
    is_escaped = "\\u00" in text
    if not (marked or is_escaped or keys.may_be_in(text) or assigned.may_be_in(text)):
        return line, Counter()
    view = View(text)
    found = list(_found(view.text, families.marked(view.text) if is_escaped else marked))
    if not found:
        return line, Counter()
    spans = sorted({view.origin(span) for _, parts in found for span in parts})
    redacted = _without(text, spans).encode("utf-8", "surrogateescape")
    counts = Counter(_by_place(found))
    if _is_json(redacted) or not _is_json(line):
        return redacted, counts
    # Not to be expected. Nothing of it leaves.
    return b"", counts


def _found(text: str, marked: Sequence[families.Family]) -> Iterator[tuple[str, list[Span]]]:
    for lines in keys.found_in(text):
        yield "private key", lines
    for family, span in families.found_in(text, marked):
        yield family.name, [span]
    yield from wrapped_in(text, marked)
    for name, span in assigned.found_in(text):
        yield name, [span]


def _by_place(found: list[tuple[str, list[Span]]]) -> Iterator[str]:
    """What is found as two things, such as a token and as the value of a name, counts as the first."""
    taken: list[Span] = []
    for name, parts in found:
        if not any(start < end_ and start_ < end for start, end in parts for start_, end_ in taken):
            yield name
        taken.extend(parts)


def _without(text: str, spans: list[Span]) -> str:
    pieces, position = [], 0
    for start, end in spans:
        if start >= position:
            pieces += [text[position:start], MARK]
        position = max(position, end)
    pieces.append(text[position:])
    return "".join(pieces)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
