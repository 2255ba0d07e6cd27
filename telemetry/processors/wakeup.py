"""Ask the task queue for a run of the processors, with at most one queued at a time."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from telemetry.models import ProcessingWakeup

# A wakeup whose task was lost stops holding others back after so long.
FORGET_AFTER = timedelta(minutes=10)
TASK = "telemetry.tasks.process_pending"
ROW = 1


def request_runs() -> None:
    """Enqueue a run of the processors, unless one is queued. Call it inside the transaction that stores a
    transcript: the task becomes visible with it, or not at all."""
    now = timezone.now()
    idle = Q(queued_at__isnull=True) | Q(queued_at__lt=now - FORGET_AFTER)
    if ProcessingWakeup.objects.filter(idle, pk=ROW).update(queued_at=now) or _make_row():
        async_task(TASK, task_name="process transcripts")


def note_started() -> None:
    """Called when a queued run begins: what is stored from now on asks for another."""
    ProcessingWakeup.objects.filter(pk=ROW).update(queued_at=None)


def _make_row() -> bool:
    """Make the row where it is missing. True if it was, and so the run is ours to enqueue."""
    _, made = ProcessingWakeup.objects.get_or_create(pk=ROW, defaults={"queued_at": timezone.now()})
    return made
