"""A person's transcripts in owner order, and which of them share records (docs/COUNTING.md section 3)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from telemetry.models import SessionTranscriptPart
from telemetry.transcripts.fingerprints import NOTHING_FOREIGN, Fingerprint, Foreign, foreign_to, merged
from telemetry.withheld import withheld_of

NO_TIME = datetime.max.replace(tzinfo=UTC)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
# A batch's hashes are held in one set, of about 70 bytes each.
BATCH_HASHES = 200_000


@dataclass
class KnownTranscript:
    """`owner_key` sorts a person's transcripts in owner order; `parts` are the hashes of its live parts in
    reading order."""

    transcript_id: int
    session_file: str
    owner_key: tuple[datetime, str, str]
    parts: list[str] = field(default_factory=list)
    raw_bytes: dict[str, int] = field(default_factory=dict)
    part_fingerprints: list[Fingerprint] = field(default_factory=list)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        return merged(self.part_fingerprints)


class PersonLibrary:
    """All transcripts of a person. Costs two queries and about 10 bytes for each line of them.

    What was removed because it may not be here comes first in owner order, so that copies of it belong to
    what is not there, and count nowhere.
    """

    def __init__(self, user_id: int) -> None:
        self.by_id = load_transcripts(user_id)
        there = sorted(self.by_id.values(), key=lambda known: known.owner_key)
        self.ordered = [*_withheld(user_id), *there]

    def batches(self, transcript_ids: Iterable[int]) -> Iterator["Batch"]:
        """These transcripts in owner order, cut so that a batch's hashes fit into memory."""
        wanted = set(transcript_ids)
        members: list[KnownTranscript] = []
        hashes = 0
        for known in self.ordered:
            if known.transcript_id not in wanted:
                continue
            if members and hashes + len(known.fingerprint) > BATCH_HASHES:
                yield Batch(members, self.ordered)
                members, hashes = [], 0
            members.append(known)
            hashes += len(known.fingerprint)
        if members:
            yield Batch(members, self.ordered)


class Batch:
    """Transcripts that are processed together, with what they share with any other of the person."""

    def __init__(self, members: Sequence[KnownTranscript], ordered: Sequence[KnownTranscript]) -> None:
        self.members = members
        self._ordered = ordered
        self._shared = shared_hashes(members, ordered)

    def foreign_to(self, known: KnownTranscript) -> Foreign:
        """What of a member belongs to transcripts before it in owner order."""
        if self._shared.isdisjoint(known.fingerprint.hashes):
            return NOTHING_FOREIGN
        earlier = self._ordered[: self._ordered.index(known)]
        return foreign_to(known.fingerprint, [other.fingerprint for other in earlier])

    def later_sharers(self, known: KnownTranscript) -> list[KnownTranscript]:
        """The transcripts after a member that have any record, call or message of it."""
        common = self._shared.intersection(known.fingerprint.hashes)
        if not common:
            return []
        later = self._ordered[self._ordered.index(known) + 1 :]
        return [other for other in later if not common.isdisjoint(other.fingerprint.hashes)]


def shared_hashes(members: Sequence[KnownTranscript], everything: Sequence[KnownTranscript]) -> set[int]:
    """The hashes of `members` that stand in more than one transcript. Sharing is rare: usually none."""
    if len(members) == 1:
        return _shared_by_one(members[0], everything)
    shared: set[int] = set()
    seen: set[int] = set()
    for known in members:
        shared.update(seen.intersection(known.fingerprint.hashes))
        seen.update(known.fingerprint.hashes)
    inside = {known.transcript_id for known in members}
    for known in everything:
        if known.transcript_id not in inside:
            shared.update(seen.intersection(known.fingerprint.hashes))
    return shared


def _shared_by_one(member: KnownTranscript, everything: Sequence[KnownTranscript]) -> set[int]:
    """As above. One transcript may be of any length: only the shorter one of a pair becomes a set."""
    shared: set[int] = set()
    for other in everything:
        if other is not member:
            shorter, longer = sorted((member.fingerprint, other.fingerprint), key=len)
            shared.update(set(shorter.hashes).intersection(longer.hashes))
    return shared


def _withheld(user_id: int) -> Iterator[KnownTranscript]:
    """Under ids that no transcript has."""
    for number, fingerprint in enumerate(withheld_of(user_id).fingerprints, 1):
        yield KnownTranscript(-number, "", (BEFORE_ALL, "", ""), part_fingerprints=[fingerprint])


def load_transcripts(user_id: int) -> dict[int, KnownTranscript]:
    rows = (
        SessionTranscriptPart.objects.filter(transcript__owner_id=user_id)
        .live()
        .values_list(
            "transcript_id",
            "transcript__session_file",
            "transcript__session_id",
            "transcript__agent_id",
            "transcript__first_at",
            "sha256",
            "raw_bytes",
            "fingerprint",
        )
    )
    by_id: dict[int, KnownTranscript] = {}
    for (
        transcript_id,
        session_file,
        session_id,
        agent_id,
        first_at,
        sha256,
        raw_bytes,
        fingerprint,
    ) in rows.iterator():
        known = by_id.get(transcript_id)
        if known is None:
            owner_key = (first_at or NO_TIME, session_id, agent_id)
            known = by_id[transcript_id] = KnownTranscript(transcript_id, session_file, owner_key)
        known.parts.append(sha256)
        known.raw_bytes[sha256] = raw_bytes
        known.part_fingerprints.append(Fingerprint.from_bytes(bytes(fingerprint)))
    return by_id
