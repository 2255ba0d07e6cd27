"""Everything that was extracted is extracted anew, after an update that counts differently.

At once: all rows of the processor `usage` are removed, and come again as it works through the transcripts. Or
session by session: they are replaced one transcript after another, so that no page is ever empty.

Either way this walks over the transcripts in short transactions, and notes how far it came: whoever is killed
over it, the next run of the processor goes on. Kept as they are: the findings of other processors, what was
extracted of transcripts whose files are gone, and the roll-ups of frozen days.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from telemetry.database.durability import redoable_writes
from telemetry.dirty_days import mark_dirty
from telemetry.errors import ClaimLost, LakeUnavailable
from telemetry.frozen_days import frozen_before, is_frozen
from telemetry.leases import Lease, held
from telemetry.maintenance.removing import EXTRACTED, Counts, remove_extracted
from telemetry.models import (
    PublishingState,
    ReprocessState,
    SessionProcessorState,
    SessionTranscript,
    UsageSessionSummary,
)
from telemetry.models.publishing import ROW
from telemetry.processors import usage, wakeup
from telemetry.publishing import OnPublish, publish
from telemetry.rollups.rebuilding import DAILY_ROLLUPS, days_with_rows

ACTION = "usage.reprocess"
LEASE = ("publishing_lease", {"what": "reprocess"})
# Transcripts in one transaction.
BATCH = 50
Mode = ReprocessState.Mode
# Told how many transcripts were walked over, and how many there are.
OnWalk = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a reprocess does. `removed`: how many rows go, by name. `kept`: transcripts whose rows stay, since
    their files are gone."""

    mode: Mode
    transcripts: int
    kept: int
    removed: Counts = field(default_factory=Counter)

    @property
    def params(self) -> dict[str, Any]:
        return {"mode": self.mode.value, "transcripts": self.transcripts, "kept": self.kept, **self.removed}


@dataclass
class Outcome:
    """`is_walked`: nothing is left that was not made pending. `is_published`: figures and lake show that.
    `waiting` transcripts wait for the processor."""

    plan: Plan
    is_walked: bool = False
    is_published: bool = True
    publishing_error: str = ""
    waiting: int = 0

    @property
    def is_complete(self) -> bool:
        return self.is_walked and self.is_published


def plan(mode: Mode) -> Plan:
    """Reads only."""
    kept = SessionTranscript.objects.exclude(content_removed_at=None).count()
    removed = _counted() if mode is Mode.AT_ONCE else Counter()
    return Plan(mode, SessionTranscript.objects.readable().count(), kept, removed)


def begin(mode: Mode, *, actor: User | None) -> Plan:
    """Start it, and write the audit row. One of the same mode that is under way goes on instead."""
    with transaction.atomic():
        planned = plan(mode)
        if not _under_way().select_for_update().filter(mode=mode).exists():
            until = SessionTranscript.objects.aggregate(last=Max("pk"))["last"] or 0
            values = {"mode": mode, "begun_at": timezone.now(), "after": 0, "until": until}
            ReprocessState.objects.update_or_create(pk=ROW, defaults={**values, "finished_at": None})
        audit.record(ACTION, actor=actor, params=planned.params)
        # Should this process die, a worker goes on.
        wakeup.request_runs()
    return planned


def reprocess(
    mode: Mode,
    *,
    actor: User | None,
    seconds: float | None = None,
    on_walk: OnWalk = lambda done, of: None,
    on_publish: OnPublish = lambda done, of: None,
) -> Outcome:
    """Start it, and walk for at most about `seconds`; what is left, the next runs of the processor do."""
    started = monotonic()
    outcome = Outcome(begin(mode, actor=actor))
    outcome.is_walked = go_on(seconds=seconds, on_walk=on_walk)
    if mode is Mode.AT_ONCE and outcome.is_walked:
        left = None if seconds is None else max(0.0, started + seconds - monotonic())
        try:
            outcome.is_published = not publish(seconds=left, on_progress=on_publish).out_of_time
        except LakeUnavailable as error:
            outcome.is_published, outcome.publishing_error = False, error.message
    outcome.waiting = SessionTranscript.objects.pending(usage.NAME).count()
    return outcome


def is_under_way() -> bool:
    return _under_way().exists()


def go_on(*, seconds: float | None = None, on_walk: OnWalk = lambda done, of: None) -> bool:
    """Walk on, for at most about `seconds`. False where something is left: a run is asked for then, or, where
    another worker is at it, planned for when it should be done."""
    state = _under_way().first()
    if state is None:
        return True
    deadline = None if seconds is None else monotonic() + seconds
    lease = Lease(*LEASE)
    done, of = 0, _ahead(state).count()
    try:
        with held(lease) as ours, redoable_writes():
            while ours and (walked := _step(lease)):
                done += walked
                on_walk(done, of)
                if deadline is not None and monotonic() >= deadline:
                    break
    except ClaimLost:
        ours = False
    if not is_under_way():
        return True
    if ours:
        wakeup.request_runs()
    else:
        wakeup.plan_run_after_claims()
    return False


def _step(lease: Lease) -> int:
    """The next transcripts; how many there were, none at the end of the walk."""
    with transaction.atomic():
        lease.renew()
        state = _under_way().select_for_update().first()
        if state is None:
            return 0
        batch = dict(_ahead(state).order_by("pk").values_list("pk", "session_file")[:BATCH])
        if batch:
            MAKE_PENDING[Mode(state.mode)](list(batch.values()))
            ReprocessState.objects.filter(pk=ROW).update(after=max(batch))
        else:
            _finish(state)
    return len(batch)


def _under_way() -> QuerySet[ReprocessState]:
    return ReprocessState.objects.filter(pk=ROW, finished_at=None)


def _ahead(state: ReprocessState) -> QuerySet[SessionTranscript]:
    return SessionTranscript.objects.readable().filter(pk__gt=state.after, pk__lte=state.until)


def _have_done_again(session_files: list[str]) -> None:
    """What was extracted stays until it is replaced."""
    SessionTranscript.objects.filter(session_file__in=session_files).unsettle()
    states = SessionProcessorState.objects.filter(processor_name=usage.NAME, session_file__in=session_files)
    states.update(revision=0, attempts=0, processed_at=None, last_error=None)


MAKE_PENDING: dict[Mode, Callable[[list[str]], Any]] = {
    Mode.AT_ONCE: remove_extracted,
    Mode.BY_SESSION: _have_done_again,
}


def _finish(state: ReprocessState) -> None:
    """All days are published anew in the end, so that no figure stays of which there is nothing more."""
    if state.mode == Mode.AT_ONCE:
        _remove_orphans()
    before = frozen_before()
    mark_dirty({None, *(day for day in days_with_rows() if not is_frozen(day, before))})
    PublishingState.objects.update(windows_day=None)
    ReprocessState.objects.filter(pk=ROW).update(finished_at=timezone.now())
    wakeup.request_runs()


def _remove_orphans() -> None:
    """Rows of transcripts that are not there any more; there should be none."""
    there = Exists(SessionTranscript.objects.filter(session_file=OuterRef("session_file")))
    orphans = UsageSessionSummary.objects.filter(~there).values_list("session_file", flat=True)
    remove_extracted(list(orphans))


def _counted() -> Counts:
    """What goes: all that was extracted of transcripts that can be read again, and what sums it up."""
    kept = SessionTranscript.objects.exclude(content_removed_at=None).values("session_file")
    counts: Counts = Counter()
    for name, model in EXTRACTED.items():
        counts[name] = model._default_manager.exclude(session_file__in=kept).count()
    states = SessionProcessorState.objects.filter(processor_name=usage.NAME)
    counts["states"] = states.exclude(session_file__in=kept).count()
    before = frozen_before()
    for rollup in DAILY_ROLLUPS:
        rows = rollup.model._default_manager.all()
        counts["rollups"] += (rows.filter(day__gte=before) if before else rows).count()
    return counts
