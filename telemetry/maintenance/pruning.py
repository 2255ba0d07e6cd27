"""What is older than the retention goes: events and messages, and files of transcripts.

Figures are brought up to date first. Then the watermark rises (telemetry/frozen_days.py), and only then rows
go, in short transactions: wherever it dies, a later run goes on, and no figure is ever made of what is left
of a day.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ClientKind, User
from telemetry.database.durability import redoable_writes
from telemetry.days import today
from telemetry.errors import ClaimLost, LakeUnavailable
from telemetry.frozen_days import frozen_before
from telemetry.leases import Lease, held
from telemetry.maintenance import old_rows, old_transcripts
from telemetry.maintenance.freezing import freeze
from telemetry.maintenance.removing import Counts
from telemetry.models import RetentionState
from telemetry.models.publishing import ROW
from telemetry.processors import wakeup
from telemetry.processors.processing import process
from telemetry.publishing import publish

ACTION = "usage.prune"
LEASE = ("publishing_lease", {"what": "prune"})
NOTHING = (
    "Nothing is pruned: USAGE_EVENTS_RETENTION_DAYS and TRANSCRIPTS_RETENTION_DAYS are 0, which keeps "
    "everything."
)
NAMES = ("events", "messages", "transcripts")
# Told how many rows and files are removed, and how many there are to remove.
OnPrune = Callable[[int, int], None]


@dataclass(frozen=True)
class Retention:
    """What is from before these days goes; None where everything is kept."""

    events_before: date | None
    transcripts_before: date | None

    @property
    def is_any(self) -> bool:
        return self.events_before is not None or self.transcripts_before is not None


@dataclass
class Outcome:
    """`removed`: how many of what. Days before `pruned_before` are frozen. `waiting` transcripts are old and
    keep their files until they are processed. Where not all is done, `why_not` says why."""

    retention: Retention
    removed: Counts = field(default_factory=lambda: Counter(dict.fromkeys(NAMES, 0)))
    pruned_before: date | None = None
    waiting: int = 0
    why_not: str = ""

    @property
    def is_complete(self) -> bool:
        return not self.why_not


def retention() -> Retention:
    return Retention(
        _days_ago(settings.USAGE_EVENTS_RETENTION_DAYS), _days_ago(settings.TRANSCRIPTS_RETENTION_DAYS)
    )


def _days_ago(days: int) -> date | None:
    return today() - timedelta(days=days) if days else None


def plan() -> Outcome:
    """What a prune would remove at this moment. Reads only."""
    outcome = Outcome(retention(), pruned_before=frozen_before())
    if before := outcome.retention.events_before:
        outcome.removed.update(old_rows.counted(max(before, outcome.pruned_before or before)))
    if before := outcome.retention.transcripts_before:
        outcome.removed["transcripts"] = old_transcripts.old(before).count()
        outcome.waiting = old_transcripts.waiting(before)
    return outcome


def prune(
    *, actor: User | None, seconds: float | None = None, on_prune: OnPrune = lambda done, of: None
) -> Outcome:
    """Remove what is too old, for at most about `seconds`. The audit row, with all counts, is written when it
    is done; what is left, later runs of the processors do."""
    if not retention().is_any:
        return Outcome(retention(), pruned_before=frozen_before())
    with transaction.atomic():
        if not is_under_way():
            begun = {"finished_at": None, "begun_by": actor.pk if actor else None}
            RetentionState.objects.update_or_create(pk=ROW, defaults=begun)
    return go_on(seconds=seconds, on_prune=on_prune)


def is_under_way() -> bool:
    return RetentionState.objects.filter(pk=ROW, finished_at=None).exists()


def go_on(*, seconds: float | None = None, on_prune: OnPrune = lambda done, of: None) -> Outcome:
    """With the prune that is under way."""
    outcome = Outcome(retention(), pruned_before=frozen_before())
    work = _Pruning(outcome, seconds, on_prune)
    try:
        with held(work.lease) as ours:
            if ours:
                work.run()
            else:
                outcome.why_not = "Another worker is at it."
    except ClaimLost:
        outcome.why_not = "Another worker took over."
    except LakeUnavailable as error:
        outcome.why_not = error.text
    return outcome


class _Pruning:
    def __init__(self, outcome: Outcome, seconds: float | None, on_prune: OnPrune) -> None:
        self.lease = Lease(*LEASE)
        self.outcome = outcome
        self.seconds = seconds
        self.deadline = None if seconds is None else monotonic() + seconds
        self.on_prune = on_prune
        self.of = sum(plan().removed.values())

    def run(self) -> None:
        """Raises ClaimLost, and LakeUnavailable."""
        wanted = self.outcome.retention
        with redoable_writes():
            if wanted.events_before:
                self._prune_events(wanted.events_before)
            if wanted.transcripts_before:
                self._work_off(old_transcripts.remove(wanted.transcripts_before, note=self._note))
                self.outcome.waiting = old_transcripts.waiting(wanted.transcripts_before)
            # The lake holds what was removed until then.
            if publish(seconds=self._left(), wait=True).out_of_time:
                self._leave("The lake is not up to date yet.")
        if self.outcome.is_complete:
            self._finish()

    def _prune_events(self, before: date) -> None:
        self._bring_up_to_date()
        reached = self.outcome.pruned_before = freeze(before, is_over=self._is_over)
        if reached is None or reached < before:
            self._leave(f"What is from {reached or 'the first day'} on waits to be processed and published.")
        if reached:
            self._work_off(old_rows.remove(reached, note=self._note))

    def _bring_up_to_date(self) -> None:
        """Figures of days that freeze are final."""
        half = None if self.seconds is None else self.seconds / 2
        process("usage", seconds=half, wait=half is None)

    def _work_off(self, batches: Iterable[int]) -> None:
        for removed in batches:
            self.on_prune(sum(self.outcome.removed.values()), self.of)
            if removed and self._is_over():
                self._leave("Time is up.")
                wakeup.request_runs()
                return

    def _note(self, counts: Counts) -> None:
        """In the transaction that removes them."""
        self.lease.renew()
        state = RetentionState.objects.select_for_update().get(pk=ROW)
        removed = Counter(state.removed) + counts
        RetentionState.objects.filter(pk=ROW).update(removed=dict(removed))
        self.outcome.removed.update(counts)

    def _finish(self) -> None:
        with transaction.atomic():
            self.lease.renew()
            state = RetentionState.objects.select_for_update().get(pk=ROW)
            _record(state, self.outcome)
            RetentionState.objects.filter(pk=ROW).update(
                finished_at=timezone.now(), removed={}, begun_by=None
            )

    def _leave(self, why: str) -> None:
        self.outcome.why_not = self.outcome.why_not or why

    def _left(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())

    def _is_over(self) -> bool:
        return self.deadline is not None and monotonic() >= self.deadline


def _record(state: RetentionState, outcome: Outcome) -> None:
    """The clock leaves no row where there was nothing to remove."""
    by_hand = state.begun_by or audit.current().client_kind != ClientKind.TASK
    if not (state.removed or by_hand):
        return
    actor: User | None = User.objects.filter(pk=state.begun_by).first() if state.begun_by else None
    wanted = outcome.retention
    params: dict[str, Any] = {
        "events_before": str(outcome.pruned_before) if wanted.events_before else None,
        "transcripts_before": str(wanted.transcripts_before) if wanted.transcripts_before else None,
        **dict.fromkeys(NAMES, 0),
        **state.removed,
    }
    audit.record(ACTION, actor=actor, params=params)
