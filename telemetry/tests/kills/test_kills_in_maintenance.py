"""kill -9 in the middle of a removal: what was begun is finished by the next task, and is not lost."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditLog, User
from telemetry import tasks
from telemetry.errors import SessionWithheld
from telemetry.maintenance import pruning, reprocess
from telemetry.maintenance.withholding import Reason, withhold
from telemetry.models import DoomedFile, PublishingLease, UsageEvent, WithheldSession
from telemetry.processors.processing import process
from telemetry.tests.builders import START
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.kills.choosing import quickly
from telemetry.tests.kills.test_kill_at_every_stage import world
from telemetry.tests.kills.victim import PRUNING, REPROCESSING, WITHHOLDING
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.maintenance.searching import is_in_database, is_in_files
from telemetry.tests.maintenance.test_private import SECRET, file, fork, lines
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("stage", quickly(WITHHOLDING, "after the commit", "before a copy is replaced"))
def test_killed_while_a_session_is_marked_private(
    stage: str, bob: User, die: Callable[..., None], settings: Any
) -> None:
    origin = lines("secret", 3)
    for content in (file(origin), file(fork(origin, "a-fork")), session("other")):
        upload(bob, content)
    process("usage")
    die(stage, 1, "withhold", bob.email, "secret")
    if WithheldSession.objects.exists():
        tasks.process_usage()
    else:
        # Nobody was told that it was done, so the client asks again.
        assert stored() == expected()
        withhold(bob, "secret", reason=Reason.PRIVATE, actor=bob)
    assert WithheldSession.objects.get().cleaned_at
    assert not is_in_files(settings.DATA_DIR, SECRET)
    assert not is_in_database(SECRET)
    assert not DoomedFile.objects.exists()
    assert stored() == expected()
    assert in_lake() == in_database()
    with pytest.raises(SessionWithheld):
        upload(bob, file(origin))


@pytest.mark.parametrize("stage", quickly(REPROCESSING, "among the transcripts"))
def test_killed_while_everything_is_reprocessed(
    stage: str, bob: User, charlie: User, die: Callable[..., None]
) -> None:
    for person in (bob, charlie):
        for content in world():
            upload(person, content)
    process("usage")
    before = usage_of(bob), stored()
    die(stage, 1, "reprocess")
    wait_until_leases_have_expired()
    tasks.process_usage()
    assert not reprocess.is_under_way()
    process("usage", wait=True)
    assert (usage_of(bob), stored()) == before
    assert usage_of(bob) == usage_of(charlie)
    assert in_lake() == in_database()


def wait_until_leases_have_expired() -> None:
    while PublishingLease.objects.filter(expires_at__gt=timezone.now()).exists():
        time.sleep(0.1)


@pytest.mark.parametrize("stage", quickly(PRUNING, "after some rows"))
def test_killed_while_it_prunes(stage: str, bob: User, die: Callable[..., None], settings: Any) -> None:
    """Sessions of 100 days ago, and of today."""
    settings.USAGE_EVENTS_RETENTION_DAYS = settings.TRANSCRIPTS_RETENTION_DAYS = 61
    today = (timezone.now() - START).total_seconds()
    for number in range(3):
        upload(bob, session(f"old{number}", calls=4, at=today - 100 * 86_400 + number * 50_000))
    upload(bob, session("new", calls=2, at=today))
    process("usage")
    process("verification")
    before = stored()
    die(stage, 1, "prune")
    wait_until_leases_have_expired()
    tasks.process_usage() if pruning.is_under_way() else tasks.prune_usage()
    assert not pruning.is_under_way()
    assert stored() == before
    assert in_lake() == in_database()
    assert UsageEvent.objects.count() == 2
    assert len(list(settings.DATA_DIR.rglob("transcripts/*/*.zst"))) == 1
    assert not DoomedFile.objects.exists()
    counts = AuditLog.objects.get(action="usage.prune").params
    assert (counts["events"], counts["messages"], counts["transcripts"]) == (12, 12, 3)
