"""Who shares records with whom, from 8-byte hashes alone (docs/COUNTING.md section 3).

A fingerprint is the sequence of a transcript's core records, each as the hash of its uuid followed by the
hashes of what it counts: its tool_use ids and its message key. The two lowest bits of a hash tell which of
the three it is. With 62 bits, two different values among ten million meet with a chance of 1 in 100 000.
"""

import hashlib
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

RECORD, TOOL_CALL, MESSAGE = 0, 1, 2
_KIND = 0b11


def record_hash(uuid: str) -> int:
    return _hash(uuid, RECORD)


def tool_call_hash(identity: str) -> int:
    return _hash(identity, TOOL_CALL)


def message_hash(key: str) -> int:
    return _hash(key, MESSAGE)


def _hash(value: str, kind: int) -> int:
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") & ~_KIND | kind


class Fingerprint:
    """The hashes of one transcript in reading order; `bytes(f)` and `from_bytes` are its stored form."""

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self.hashes = array("Q", hashes)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Fingerprint":
        fingerprint = cls()
        fingerprint.hashes.frombytes(stored)
        if sys.byteorder == "big":
            fingerprint.hashes.byteswap()
        return fingerprint

    def __bytes__(self) -> bytes:
        stored = array("Q", self.hashes)
        if sys.byteorder == "big":
            stored.byteswap()
        return stored.tobytes()

    def __len__(self) -> int:
        return len(self.hashes)

    def add_record(self, record_id: int) -> None:
        """Begin a record, by its `record_hash`; what it counts follows."""
        self.hashes.append(record_id)

    def add_tool_call(self, identity: str) -> None:
        self.hashes.append(tool_call_hash(identity))

    def add_message(self, key: str) -> None:
        self.hashes.append(message_hash(key))

    def records(self) -> Iterator[tuple[int, list[int]]]:
        """Each record's hash with the hashes of what it counts."""
        current: tuple[int, list[int]] | None = None
        for value in self.hashes:
            if value & _KIND == RECORD:
                if current:
                    yield current
                current = (value, [])
            elif current:
                current[1].append(value)
        if current:
            yield current


def merged(parts: Sequence[Fingerprint]) -> Fingerprint:
    """The fingerprint of a transcript of several parts: of a repeated record the first stays."""
    if len(parts) == 1:
        return parts[0]
    whole = Fingerprint()
    seen: set[int] = set()
    for part in parts:
        for record, keys in part.records():
            if record not in seen:
                seen.add(record)
                whole.hashes.append(record)
                whole.hashes.extend(keys)
    return whole


@dataclass(frozen=True)
class Foreign:
    """What of a transcript belongs to earlier ones: hashes of copied records, and of keys counted there."""

    records: frozenset[int] = field(default_factory=frozenset)
    keys: frozenset[int] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.records or self.keys)


NOTHING_FOREIGN = Foreign()


def foreign_to(fingerprint: Fingerprint, earlier: Sequence[Fingerprint]) -> Foreign:
    """What of `fingerprint` belongs to the transcripts before it in owner order (`earlier`, in that order).

    A record is foreign if any earlier transcript has it. A key is foreign if an earlier transcript has it
    in a record of its own, that is one which no transcript before *that* one has.
    """
    hashes = set(fingerprint.hashes)
    shared: set[int] = set()
    for other in earlier:
        shared.update(hashes.intersection(other.hashes))
    if not shared:
        return NOTHING_FOREIGN
    copied = frozenset(value for value in shared if value & _KIND == RECORD)
    contested = {
        key for record, keys in fingerprint.records() if record not in copied for key in keys if key in shared
    }
    return Foreign(copied, counted_keys(contested, earlier))


def counted_keys(keys: set[int], transcripts: Sequence[Fingerprint]) -> frozenset[int]:
    """Those of the keys that one of these transcripts (in owner order) has in a record of its own.

    Reads each transcript twice at most, however many keys there are.
    """
    if not keys:
        return frozenset()
    holders = [
        (index, record, key)
        for index, transcript in enumerate(transcripts)
        if not keys.isdisjoint(transcript.hashes)
        for record, counted in transcript.records()
        for key in counted
        if key in keys
    ]
    first_holder: dict[int, int] = {}
    wanted = {record for _, record, _ in holders}
    for index, transcript in enumerate(transcripts):
        for record in wanted.intersection(transcript.hashes):
            first_holder.setdefault(record, index)
    return frozenset(key for index, record, key in holders if first_holder[record] == index)
