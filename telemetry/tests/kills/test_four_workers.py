"""Four workers share what is pending, two of them are killed with -9: all is as one worker leaves it."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from telemetry.models import SessionProcessorState, SessionTranscript
from telemetry.processors.processing import process
from telemetry.strays import copies
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.kills.servers import ROOT, environment_of
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKERS = 4
KILLED = 2
PATIENCE_SECONDS = 900
Worker = subprocess.Popen[str]


def populate(people: int, sessions: int) -> list[User]:
    """Each person's last session but one is a fork of their first, and comes before it."""
    found = []
    for number in range(people):
        person = User.objects.create_user(f"person{number}@example.com")
        origin = session("origin", calls=20, at=number)
        fork = origin.replace(b'"sessionId":"origin"', b'"sessionId":"a-fork"') + session("a-fork", 3, at=900)
        others = [session(f"s{one}", calls=5 + one % 7, at=one * 7_000) for one in range(sessions - 2)]
        for content in (*others, fork, origin):
            upload(person, content)
        found.append(person)
    return found


def figures(people: list[User]) -> dict[str, Any]:
    return {"usage": [usage_of(person) for person in people], "rollups": stored()}


def in_any_order(tables: Any) -> Any:
    """The rows of each table and day."""
    return {
        name: {day: sorted(rows, key=repr) for day, rows in days.items()} for name, days in tables.items()
    }


@contextmanager
def workers(settings: Any) -> Iterator[list[Worker]]:
    """All ready, none begun."""
    environment = environment_of(settings, PROCESSOR_CLAIM_SECONDS="5")
    command = [sys.executable, "-m", "telemetry.tests.kills.worker"]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe)
        for _ in range(WORKERS)
    ]
    try:
        for worker in started:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()


def begin(started: list[Worker]) -> None:
    for worker in started:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()


def done() -> int:
    return SessionProcessorState.objects.filter(processor_name="usage", processed_at__isnull=False).count()


def kill_when(victim: Worker, so_many: int) -> None:
    """As soon as so many transcripts are done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while done() < so_many:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    victim.kill()
    assert victim.wait() == -signal.SIGKILL
    assert SessionTranscript.objects.pending("usage").exists(), "it was killed after the work"


def shares(settings: Any, seed: int, people: int, sessions: int) -> None:
    team = populate(people, sessions)
    assert process("usage").processed >= people * sessions
    by_one = figures(team)
    call_command("usage_reprocess", verbosity=0)
    assert done() == 0
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, people * sessions // 2), KILLED))
    with workers(settings) as started:
        victims = chance.sample(started, KILLED)
        begin(started)
        for victim, moment in zip(victims, moments, strict=True):
            kill_when(victim, moment)
        for worker in started:
            assert worker.wait(PATIENCE_SECONDS) == (-signal.SIGKILL if worker in victims else 0)
    assert not SessionTranscript.objects.pending("usage").exists()
    assert done() == people * sessions
    assert figures(team) == by_one
    assert stored() == expected()
    assert in_any_order(in_lake()) == in_any_order(in_database())
    assert list(copies.examine(timedelta())) == []


@pytest.mark.sample
def test_sixty_transcripts(settings: Any):
    shares(settings, seed=1, people=12, sessions=5)


def test_two_thousand_transcripts(settings: Any):
    shares(settings, seed=random.randrange(10**6), people=100, sessions=20)
