"""How a transcript differs from the format that is known: what tells that Claude Code's format drifts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from telemetry.transcripts.known_format import BLOCK_TYPES, KEYS, LINE_TYPES
from telemetry.transcripts.reading import ObjectReader
from telemetry.transcripts.records import CORE_TYPES, plain
from telemetry.transcripts.values import clean, timestamp_ms

# Beyond so many details of one kind, the rest is counted together: a hostile file may name millions.
DETAILS_PER_KIND = 20
OTHER_DETAILS = "(others)"
# A clock may be a little wrong, and time zones are sometimes written as UTC.
CLOCK_TOLERANCE_MS = 86_400_000

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Finding(NamedTuple):
    kind: str
    detail: str
    occurrences: int


def verify(parts: Sequence[Iterable[bytes]], *, received_ms: int) -> list[Finding]:
    """Read the parts of a transcript and tell what is unknown, missing or malformed in them.

    A timestamp over a day later than `received_ms` means that the person's clock is wrong.
    """
    verifier = _Verifier(received_ms + CLOCK_TOLERANCE_MS)
    for chunks in parts:
        verifier.read_part(chunks)
    return verifier.findings()


class _Verifier:
    def __init__(self, latest_ms: int) -> None:
        self.latest_ms = latest_ms
        self.counts: Counter[tuple[str, str]] = Counter()
        self.details_of_kind: Counter[str] = Counter()
        self.uuids: set[int] = set()
        self.parents: set[int] = set()

    def read_part(self, chunks: Iterable[bytes]) -> None:
        reader: ObjectReader[dict[str, Any]] = ObjectReader(chunks, _decode, lambda value: value)
        for fields in reader:
            self._read(fields)
        self._note("malformed_line", count=reader.malformed_lines)
        self._note("truncated_tail", count=int(reader.truncated_tail))

    def findings(self) -> list[Finding]:
        self._note("missing_part", "parent lines", len(self.parents - self.uuids))
        return [Finding(kind, detail, count) for (kind, detail), count in sorted(self.counts.items())]

    def _read(self, fields: dict[str, Any]) -> None:
        line_type = clean(plain(fields.get("type")))
        uuid = plain(fields.get("uuid"))
        if isinstance(uuid, str):
            self.uuids.add(hash(uuid))
        if line_type not in LINE_TYPES:
            self._note("unknown_line_type", line_type)
        if line_type in CORE_TYPES:
            self._read_core(line_type, fields)

    def _read_core(self, line_type: str, fields: dict[str, Any]) -> None:
        for key in fields.keys() - KEYS:
            self._note("unknown_key", clean(key))
        if not plain(fields.get("sessionId")) or not plain(fields.get("uuid")):
            self._note("incomplete_record", line_type)
        parent = plain(fields.get("parentUuid"))
        if isinstance(parent, str):
            self.parents.add(hash(parent))
        timestamp = plain(fields.get("timestamp"))
        moment = timestamp_ms(timestamp) if isinstance(timestamp, str) else None
        if moment is None:
            self._note("no_timestamp", line_type)
        elif moment > self.latest_ms:
            self._note("clock_skew", line_type)
        for block_type in block_types(plain(fields.get("message"))):
            if block_type not in BLOCK_TYPES:
                self._note("unknown_block_type", block_type)

    def _note(self, kind: str, detail: str = "", count: int = 1) -> None:
        if not count:
            return
        if (kind, detail) not in self.counts:
            if self.details_of_kind[kind] >= DETAILS_PER_KIND:
                detail = OTHER_DETAILS
            else:
                self.details_of_kind[kind] += 1
        self.counts[kind, detail] += count


def block_types(message: Any) -> list[str]:
    """The types of a message's content blocks."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return []
    return [clean(block.get("type")) for block in content if isinstance(block, dict)]
