"""Ask the task queue for a run of the processors: with at most one queued at a time, and one planned."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from telemetry.models import ProcessingWakeup, PublishingLease, SessionProcessorClaim

# A wakeup whose task was lost stops holding others back after so long.
FORGET_AFTER = timedelta(minutes=10)
TASK = "telemetry.tasks.process_pending"
# Not one of agnes/schedules.py, which removes what it did not declare under a name of its own.
PLANNED = "process what was left"
# The table has no other.
ONLY_ROW = 1


def request_runs() -> None:
    """Enqueue a run of the processors, unless one is queued. Call it inside the transaction that stores a
    transcript: the task becomes visible with it, or not at all."""
    with transaction.atomic():
        # Locked even where a run is queued: one that begins meanwhile then sees what this transaction stores.
        wakeup = _locked_row()
        now = timezone.now()
        if wakeup.queued_at is None or wakeup.queued_at < now - FORGET_AFTER:
            ProcessingWakeup.objects.filter(pk=ONLY_ROW).update(queued_at=now)
            async_task(TASK, task_name="process transcripts")
            _plan_run()


def plan_run() -> None:
    """Plan one run for when every claim of this moment has expired, in place of one that is planned.

    To be called before work begins: whoever dies over it, or holds it already and is dead, does not keep it
    until the next schedule. The scheduler of the task queue looks twice a minute.
    """
    with transaction.atomic():
        _locked_row()
        _plan_run()


def plan_run_after_claims() -> None:
    """Plan it for just after the last claim that there is: what is left is held by others.

    To be called after work: `plan_run` has planned for a claim that might have been made since.
    """
    with transaction.atomic():
        _locked_row()
        expiries = [
            *SessionProcessorClaim.objects.values_list("expires_at", flat=True),
            *PublishingLease.objects.values_list("expires_at", flat=True),
        ]
        if expiries:
            _plan_run_at(max(expiries))


def _plan_run() -> None:
    _plan_run_at(timezone.now() + timedelta(seconds=settings.PROCESSOR_CLAIM_SECONDS))


def _plan_run_at(expiry: datetime) -> None:
    """At most one: called with the row locked."""
    planned = Schedule.objects.filter(name=PLANNED)
    next_run = expiry + timedelta(seconds=1)
    if not planned.update(next_run=next_run):
        Schedule.objects.create(name=PLANNED, func=TASK, schedule_type=Schedule.ONCE, next_run=next_run)


def _locked_row() -> ProcessingWakeup:
    wakeup = ProcessingWakeup.objects.select_for_update().filter(pk=ONLY_ROW).first()
    return wakeup or ProcessingWakeup.objects.get_or_create(pk=ONLY_ROW)[0]


def note_started() -> None:
    """Called when a queued run begins: what is stored from now on asks for another."""
    ProcessingWakeup.objects.filter(pk=ONLY_ROW).update(queued_at=None)
