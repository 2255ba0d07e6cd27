"""Ask the task queue for a run of the processors, with at most one queued at a time."""

from datetime import timedelta

from django.db import transaction
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
    with transaction.atomic():
        # Locked even where a run is queued: one that begins meanwhile then sees what this transaction stores.
        wakeup = ProcessingWakeup.objects.select_for_update().filter(pk=ROW).first()
        if wakeup is None:
            wakeup, _ = ProcessingWakeup.objects.get_or_create(pk=ROW)
        now = timezone.now()
        if wakeup.queued_at is None or wakeup.queued_at < now - FORGET_AFTER:
            ProcessingWakeup.objects.filter(pk=ROW).update(queued_at=now)
            async_task(TASK, task_name="process transcripts")


def note_started() -> None:
    """Called when a queued run begins: what is stored from now on asks for another."""
    ProcessingWakeup.objects.filter(pk=ROW).update(queued_at=None)
