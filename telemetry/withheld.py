"""What may not be here of a person: sessions that were marked private or removed, and copies of records."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models.functions import Length

from telemetry.errors import SessionWithheld, TranscriptChanged
from telemetry.models import WithheldSession
from telemetry.transcripts.fingerprints import Fingerprint


@dataclass(frozen=True)
class Withheld:
    """`reasons` by session id; `fingerprints` of what was removed. `version` changes with any of it."""

    user_id: int
    reasons: dict[str, str]
    fingerprints: list[Fingerprint]
    version: frozenset[tuple[int, int]]

    @cached_property
    def hashes(self) -> frozenset[int]:
        return frozenset(value for fingerprint in self.fingerprints for value in fingerprint.hashes)

    def refuse(self, session_id: str) -> None:
        """Raises SessionWithheld."""
        if session_id in self.reasons:
            raise SessionWithheld(self.reasons[session_id])

    def is_in(self, fingerprint: Fingerprint) -> bool:
        """Whether anything in there may not be kept."""
        return bool(self.hashes) and not self.hashes.isdisjoint(fingerprint.hashes)

    def require_current(self) -> None:
        """Call it while the person is locked. Raises TranscriptChanged."""
        if self.version != _version(self.user_id):
            raise TranscriptChanged("Another session was marked private meanwhile.")


def withheld_of(user_id: int) -> Withheld:
    """One query, of nothing for most people."""
    reasons: dict[str, str] = {}
    fingerprints: list[Fingerprint] = []
    version: set[tuple[int, int]] = set()
    rows = WithheldSession.objects.in_force().filter(user_id=user_id).order_by("pk")
    for pk, session_id, reason, stored in rows.values_list("pk", "session_id", "reason", "fingerprint"):
        reasons[session_id] = reason
        version.add((pk, len(stored)))
        if stored:
            fingerprints.append(Fingerprint.from_bytes(bytes(stored)))
    return Withheld(user_id, reasons, fingerprints, frozenset(version))


def _version(user_id: int) -> frozenset[tuple[int, int]]:
    rows = WithheldSession.objects.in_force().filter(user_id=user_id).annotate(length=Length("fingerprint"))
    return frozenset(rows.values_list("pk", "length"))
