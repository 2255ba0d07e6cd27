"""What runs by the clock: a run that was missed is caught up once, and the admin tells how each one went."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler

from accounts.models import User
from agnes import schedules

pytestmark = pytest.mark.django_db(transaction=True)


def test_missed_runs_are_caught_up_once() -> None:
    """The server was off for a month."""
    names = schedules.sync()
    Schedule.objects.update(next_run=timezone.now() - timedelta(days=30))
    scheduler()
    assert sorted(queued.group() for queued in OrmQ.objects.all()) == sorted(names)
    assert not Schedule.objects.filter(next_run__lte=timezone.now()).exists()
    # Another machine's scheduler, a moment later.
    scheduler()
    assert OrmQ.objects.count() == len(names)


def test_the_admin_tells_how_each_went(client: Client, alice: User) -> None:
    schedules.sync()
    now = timezone.now()
    some = Schedule.objects.order_by("name")[:2]
    for number, (schedule, success) in enumerate(zip(some, (True, False), strict=True)):
        task = Task.objects.create(
            id=f"{number:032}", name=f"run-{number}", func=schedule.func, started=now, stopped=now,
            success=success,
        )  # fmt: skip
        Schedule.objects.filter(pk=schedule.pk).update(task=task.pk)
    client.force_login(alice)
    page = client.get("/admin/django_q/schedule/").content.decode()
    for schedule in Schedule.objects.all():
        assert str(schedule.name) in page
    assert f'/admin/django_q/success/{0:032}/change/">[run-0]' in page
    assert f'/admin/django_q/failure/{1:032}/change/">[run-1]' in page
