"""Every worker has a scheduler: however many look, what is due runs once, and what was missed once."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from agnes import schedules
from agnes.tests.machines import ticking
from agnes.tests.server import ROOT, wait_until
from telemetry.tests.kills.servers import environment_of, task_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SCHEDULERS = 4
ROUNDS = 25
MINUTE = timedelta(minutes=1)
MISSED = 7
RUNS = 4
SECOND_LOOK_SECONDS = 15
Scheduler = subprocess.Popen[str]


@contextmanager
def schedulers(settings: Any) -> Iterator[list[Scheduler]]:
    command = [sys.executable, "-m", "agnes.tests.machines.scheduling"]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment_of(settings), text=True, stdin=pipe, stdout=pipe)
        for _ in range(SCHEDULERS)
    ]
    try:
        for each in started:
            answered(each, "ready")
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


def answered(each: Scheduler, word: str) -> None:
    assert each.stdout is not None
    assert each.stdout.readline() == f"{word}\n"


def all_look(started: list[Scheduler]) -> None:
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in started:
        answered(each, "looked")


@pytest.mark.sample
def test_schedulers_that_look_at_once(settings: Any):
    """After a stop of minutes to weeks."""
    names = sorted(schedules.sync())
    chance = random.Random(1)
    with schedulers(settings) as started:
        for _ in range(ROUNDS):
            away = timedelta(minutes=chance.randint(1, 30_000))
            Schedule.objects.update(next_run=timezone.now() - away)
            all_look(started)
            assert sorted(queued.group() for queued in OrmQ.objects.all()) == names
            assert not Schedule.objects.filter(next_run__lte=timezone.now()).exists()
            OrmQ.objects.all().delete()


@pytest.fixture
def due_every_minute() -> Iterator[datetime]:
    """The shortest interval that there is, after a stop of some minutes. Returns when the last of the times
    will be that are missed: workers look half a minute after their start, and every half minute from then on.
    """
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves one machine")
    schedules.sync()
    last_missed = timezone.now() + MINUTE / 4
    first_missed = last_missed - MISSED * MINUTE
    Schedule.objects.create(name="tick", func=ticking.TASK, schedule_type=Schedule.MINUTES)
    Schedule.objects.update(next_run=first_missed, minutes=1)
    with ticking.noted():
        yield last_missed


def test_two_workers_by_the_clock(due_every_minute: datetime, settings: Any):
    workers = [task_worker(settings), task_worker(settings)]
    try:
        for worker in workers:
            worker.start()
        wait_until(lambda: len(ticking.times()) >= RUNS, (RUNS + 2) * 60)
        # What would run a second time does so by now.
        time.sleep(SECOND_LOOK_SECONDS)
    finally:
        for worker in workers:
            worker.kill()
    minutes = [(at - due_every_minute) // MINUTE for at in ticking.times()]
    # Once for all that was missed, from then on once in each minute.
    assert minutes == list(range(RUNS))
    for name in Schedule.objects.values_list("name", flat=True):
        runs = Task.objects.filter(group=name)
        assert list(runs.values_list("attempt_count", "success")) == [(1, True)] * RUNS, name
