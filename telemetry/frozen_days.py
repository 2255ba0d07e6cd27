"""Days whose events were pruned are frozen: their roll-ups stay as they are, and nothing new is stored there.

One watermark says which (docs/RETENTION.md). It only ever rises, by whoever holds the publisher's lease
(telemetry/maintenance/pruning.py), so no day freezes while it is being published.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection

from telemetry.database.bulk import fetch
from telemetry.days import start_of
from telemetry.models import RetentionState

# Any number that no other advisory lock of ours has.
_FREEZING = 4_027_185


def frozen_before() -> date | None:
    """Days before this one are frozen; None where none is."""
    return RetentionState.objects.values_list("pruned_before", flat=True).first()


def is_frozen(day: date | None, before: date | None) -> bool:
    return day is not None and before is not None and day < before


@dataclass(frozen=True)
class Horizon:
    """What may be stored of a transcript that was received at `received`: nothing of a frozen day. What has
    no time goes by when it was received."""

    before: date | None
    received: datetime

    def keeps(self, occurred_ms: int | None) -> bool:
        if self.before is None:
            return True
        if occurred_ms is None:
            return self.received.astimezone(UTC).date() >= self.before
        return occurred_ms >= start_of(self.before)


def horizon(received: datetime) -> Horizon:
    """Call it in the transaction that stores what was extracted: no day freezes until that ends.

    SQLite's transactions write one after another anyway.
    """
    if connection.vendor == "postgresql":
        fetch("SELECT pg_advisory_xact_lock_shared(%s)", (_FREEZING,))
    return Horizon(frozen_before(), received)


def wait_for_storing_transactions() -> None:
    """Call it in the transaction that moves the watermark: who read the old one is done when this returns."""
    if connection.vendor == "postgresql":
        fetch("SELECT pg_advisory_xact_lock(%s)", (_FREEZING,))
