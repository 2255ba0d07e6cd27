"""Ask the task queue for a run of the processors, at most one queued run at a time for each."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from telemetry.models import SessionProcessorWakeup

# A wakeup whose task was lost stops holding others back after so long.
FORGET_AFTER = timedelta(minutes=10)
# The registry is not imported here: intake calls this, and needs no processor's code.
TASKS = {"usage": "telemetry.tasks.process_usage", "verification": "telemetry.tasks.process_verification"}


def request_runs() -> None:
    """Enqueue a run of every processor that has none queued. Call it inside the transaction that stores a
    transcript: the task becomes visible with it, or not at all."""
    for processor_name in TASKS:
        request_run(processor_name)


def request_run(processor_name: str) -> None:
    now = timezone.now()
    unclaimed = Q(queued_at__isnull=True) | Q(queued_at__lt=now - FORGET_AFTER)
    wakeups = SessionProcessorWakeup.objects.filter(unclaimed, processor_name=processor_name)
    if wakeups.update(queued_at=now) or _make(processor_name):
        async_task(TASKS[processor_name], task_name=f"process {processor_name}")


def note_started(processor_name: str) -> None:
    """Called when a queued run begins: what is stored from now on asks for another."""
    SessionProcessorWakeup.objects.filter(processor_name=processor_name).update(queued_at=None)


def _make(processor_name: str) -> bool:
    """Make the row where it is missing. True if it was, and so the run is ours to enqueue."""
    _, made = SessionProcessorWakeup.objects.get_or_create(
        processor_name=processor_name, defaults={"queued_at": timezone.now()}
    )
    return made
