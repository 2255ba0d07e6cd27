"""A file without records that may not be kept: lines as they are, or not at all.

What is no core record (titles, summaries, queued prompts) may quote any other line and belongs to none, so it
is left out as well, and so is what cannot be read. The same file always gives the same bytes, and the
beginning of a file gives the beginning of what the whole gives: so growing uploads can be compared.
"""

from collections.abc import Iterable, Iterator, Set

import msgspec

from telemetry.transcripts.fingerprints import message_hash, record_hash, tool_call_hash
from telemetry.transcripts.messages import message_key, tool_call_identity
from telemetry.transcripts.reading import Documents, is_overfull, split_lines
from telemetry.transcripts.records import Record, decode_record, lenient_record


def without_records(chunks: Iterable[bytes], withheld: Set[int]) -> Iterator[bytes]:
    """The raw bytes of a file without the records of which a hash is among `withheld` (fingerprints.py)."""
    last = b""
    for batch in split_lines(chunks):
        last = batch.pop()
        kept = [line for line in batch if is_kept(line, withheld)]
        if kept:
            yield b"\n".join([*kept, b""])
    if is_kept(last, withheld):
        yield last


def is_kept(line: bytes, withheld: Set[int]) -> bool:
    records = list(_records_of(line))
    return bool(records) and all(record.is_core and not is_withheld(record, withheld) for record in records)


def is_withheld(record: Record, withheld: Set[int]) -> bool:
    return any(value in withheld for value in _hashes_of(record))


def _hashes_of(record: Record) -> Iterator[int]:
    """Of the record, of what it counts, and of the calls that it answers."""
    yield record_hash(record.uuid or "")
    if record.type == "assistant" and (key := message_key(record)) is not None:
        yield message_hash(key)
    for index, block in enumerate(record.blocks):
        if block.type == "tool_use":
            yield tool_call_hash(tool_call_identity(record, index, block))
        elif block.tool_use_id:
            yield tool_call_hash(block.tool_use_id)


def _records_of(line: bytes) -> Iterator[Record]:
    """None where something on the line cannot be read."""
    if is_overfull(line):
        return
    try:
        yield decode_record(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        documents = Documents(line)
        values = list(documents)
        if not documents.malformed:
            yield from map(lenient_record, values)
