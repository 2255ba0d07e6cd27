"""What one JSON object of a transcript says to people, as entries. Nothing is cut or escaped here."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from telemetry.transcripts.known_format import LINE_TYPES
from telemetry.transcripts.reading import Documents
from telemetry.transcripts.records import CORE_TYPES, Record, lenient_record
from telemetry.transcripts.values import clean, timestamp_ms
from telemetry.viewing.assistant_entries import assistant_entries
from telemetry.viewing.entry import Entry, Kind
from telemetry.viewing.lines import Line
from telemetry.viewing.system_entries import attachment_entry, system_entries
from telemetry.viewing.user_entries import user_entries
from telemetry.viewing.wording import as_json

# Of one line; real ones say a few things.
LINE_ENTRIES = 200


def is_shown(record: Record) -> bool:
    """Whether a record has a place on the page. What only keeps the state of the user interface is counted,
    and so are partial copies of subagents' lines."""
    return record.type in CORE_TYPES or not is_known_type(record)


def is_known_type(record: Record) -> bool:
    return (record.type or "") in LINE_TYPES


def entries_of_line(line: Line, *, in_agent_file: bool) -> list[Entry]:
    """What a line says, in its order, up to LINE_ENTRIES."""
    said = _entries_of_line(line, in_agent_file)
    entries = list(islice(said, LINE_ENTRIES))
    if next(said, None):
        about = f"{LINE_ENTRIES} things that the line says are shown. Its raw text has all."
        entries.append(Entry(Kind.BROKEN, "An endless line", about=about))
    for position, entry in enumerate(entries):
        entry.line, entry.position = line.number, position
    return entries


def _entries_of_line(line: Line, in_agent_file: bool) -> Iterator[Entry]:
    if line.is_too_long:
        yield Entry(Kind.BROKEN, "A line that is too long to be shown", about="Its raw text can be read.")
        return
    documents = Documents(line.content)
    for value in documents:
        yield from entries_of(value, in_agent_file=in_agent_file)
    if documents.malformed:
        title = "A broken line" if line.has_end else "An incomplete line: it was still being written"
        yield Entry(Kind.BROKEN, title, line.content.decode("utf-8", "replace"))


def entries_of(value: dict[str, Any], *, in_agent_file: bool) -> Iterator[Entry]:
    """What one JSON object says. `in_agent_file`: it stands in the transcript of a subagent."""
    record = lenient_record(value)
    if not is_shown(record):
        return
    for entry in _entries_by_type(value, record, in_agent_file):
        entry.at_ms = timestamp_ms(record.timestamp)
        entry.in_sidechain = record.isSidechain is True and not in_agent_file
        yield entry


def _entries_by_type(value: dict[str, Any], record: Record, in_agent_file: bool) -> Iterator[Entry]:
    if not record.is_core:
        yield _unknown(value, record)
    elif record.type == "assistant":
        yield from assistant_entries(value, record)
    elif record.type == "user":
        yield from user_entries(value, record, in_agent_file)
    elif record.type == "system":
        yield from system_entries(value, record)
    else:
        yield attachment_entry(value, record)


def _unknown(value: dict[str, Any], record: Record) -> Entry:
    name = clean(value.get("type")) or "none"
    title = f"Incomplete record of type {name}" if is_known_type(record) else f"Unknown record type: {name}"
    return Entry(Kind.UNKNOWN, title, as_json(value))
