"""What the task queue keeps: what waits, what was done, and schedules that somebody made by hand."""

from typing import Any

from django.core.signing import BadSignature
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from accounts.erasing.kinds import Kind, chosen
from accounts.erasing.subject import Subject
from agnes import schedules


def _is_queued_about(row: Any, subject: Subject) -> bool:
    try:
        return subject.mentioned_in(SignedPackage.loads(row.payload))
    except BadSignature:
        # Of another SECRET_KEY: nobody runs it, nor can read it.
        return True


def _is_task_about(task: Any, subject: Subject) -> bool:
    return subject.mentioned_in(task.name, task.group, task.args, task.kwargs, task.result)


def _is_schedule_about(schedule: Any, subject: Subject) -> bool:
    return subject.mentioned_in(schedule.name, schedule.args, schedule.kwargs)


KINDS: tuple[Kind, ...] = (
    chosen("queued tasks", lambda: OrmQ.objects.order_by("pk"), _is_queued_about),
    chosen("results of tasks", lambda: Task.objects.order_by("pk"), _is_task_about),
    chosen(
        "schedules",
        lambda: Schedule.objects.exclude(name__startswith=schedules.PREFIX).order_by("pk"),
        _is_schedule_about,
    ),
)
