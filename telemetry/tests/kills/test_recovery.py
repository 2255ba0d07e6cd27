"""kill -9 of a worker: what it worked on is taken up soon after its claim has expired, by itself."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from accounts.models import User
from telemetry.models import SessionProcessorClaim, SessionTranscript, UsageDirtyDay
from telemetry.processors.wakeup import PLANNED
from telemetry.tests.figures import upload
from telemetry.tests.kills.servers import task_worker
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.sample]

# The scheduler of the task queue looks every half minute.
PATIENCE_SECONDS = 75


@pytest.mark.parametrize("stage", ["while a transcript is read", "after the commit"])
def test_a_killed_task_is_taken_up(stage: str, bob: User, die: Callable[..., None], settings: Any) -> None:
    upload(bob, session("s1", calls=3))
    # The queue gives a task to a worker and hides it for so long that others do not take it as well.
    OrmQ.objects.update(lock=timezone.now() + timedelta(hours=1))
    die(stage, 1, "task")
    assert SessionProcessorClaim.objects.exists()
    worker = task_worker(settings)
    worker.start()
    try:
        assert_done_in_time()
    finally:
        worker.kill()
    assert stored() == expected()
    assert Schedule.objects.filter(name=PLANNED).count() <= 1


def assert_done_in_time() -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not is_done():
        time.sleep(0.2)
    assert is_done()


def is_done() -> bool:
    pending = any(SessionTranscript.objects.pending(name).exists() for name in ("usage", "verification"))
    return not pending and not UsageDirtyDay.objects.exists()
