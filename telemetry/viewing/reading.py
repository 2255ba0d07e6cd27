"""From the index to entries: the lines of one page, or the raw bytes of one line."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from telemetry.viewing.entries import entries_of_line
from telemetry.viewing.entry import Entry, Kind
from telemetry.viewing.index import Index, Place
from telemetry.viewing.lines import LONGEST_READ, Line, RangeReader, without_bom
from telemetry.viewing.parts import StoredPart

# As much of a text as a page shows: of what people read, and of what is folded.
SHOWN_CHARACTERS = 20_000
FOLDED_CHARACTERS = 4_000
READ_KINDS = frozenset({Kind.PROMPT, Kind.ANSWER, Kind.COMMAND, Kind.SHELL, Kind.SUMMARY, Kind.ERROR})


def read_entries(parts: Sequence[StoredPart], index: Index, page: int, *, in_agent_file: bool) -> list[Entry]:
    """The entries of a page, texts cut, results at their calls. Raises StoredFileDamaged."""
    entries: list[Entry] = []
    places = index.places(page)
    for line in _lines(parts, places, index.about.unfinished_lines):
        for entry in entries_of_line(line, in_agent_file=in_agent_file):
            entry.cut(SHOWN_CHARACTERS if entry.kind in READ_KINDS else FOLDED_CHARACTERS)
            entries.append(entry)
    answers = {place.line for place in places if place.only_answers}
    return [entry for entry in with_results_at_calls(entries) if entry.line not in answers]


def _lines(parts: Sequence[StoredPart], places: list[Place], unfinished: list[int]) -> Iterator[Line]:
    for part, of_part in groupby(places, key=attrgetter("part")):
        reader = RangeReader(parts[part].read())
        for place in of_part:
            # What is too long is not shown, so it is not held either.
            readable = place.length <= LONGEST_READ
            content = b"".join(reader.pieces(place.offset, place.length)) if readable else b""
            yield Line(
                place.line,
                place.offset,
                place.length,
                without_bom(content, place.offset),
                place.line not in unfinished,
            )


def with_results_at_calls(entries: Iterable[Entry]) -> list[Entry]:
    """Each call takes the first result that names it, wherever that stands; the other results stay."""
    entries = list(entries)
    results: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind is Kind.RESULT:
            results.setdefault(entry.call_id, entry)
    for entry in entries:
        if entry.kind is Kind.CALL and entry.call_id:
            entry.result = results.pop(entry.call_id, None)
    taken = {id(entry.result) for entry in entries if entry.result}
    return [entry for entry in entries if id(entry) not in taken]


def read_line(parts: Sequence[StoredPart], place: Place) -> Iterator[bytes]:
    """The bytes of one line, as they are, in pieces. Raises StoredFileDamaged."""
    return RangeReader(parts[place.part].read()).pieces(place.offset, place.length)


def read_entry(
    parts: Sequence[StoredPart], index: Index, place: Place, position: int, *, in_agent_file: bool
) -> Entry | None:
    """One entry of a line with its whole text; None where the line has fewer."""
    [line] = _lines(parts, [place], index.about.unfinished_lines)
    entries = entries_of_line(line, in_agent_file=in_agent_file)
    return entries[position] if position < len(entries) else None
