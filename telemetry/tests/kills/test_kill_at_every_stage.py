"""kill -9 in the middle of each stage, for real: another process dies there, and the totals are as if not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.models import (
    LakeSnapshot,
    SessionTranscript,
    SessionTranscriptPart,
    UsageDirtyDay,
    UsageEvent,
)
from telemetry.processors.processing import process
from telemetry.processors.runner import run
from telemetry.publishing import publish
from telemetry.tests.builders import START
from telemetry.tests.figures import processed, upload, usage_of
from telemetry.tests.kills.choosing import first_and_third, quickly
from telemetry.tests.kills.victim import INTAKE, PROCESSING, PUBLISHING, PURGING, STARTING_ANEW
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.lake.test_publishing_purges import SECRET, is_somewhere, leave_copies
from telemetry.tests.planting import AT, plant_event, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)
ONCE_IN_PROCESSING = ("after the commit", "before the claim is released")
ONCE_IN_PUBLISHING = (
    "before the marks are read",
    "after the marks are read",
    "among the windows",
    "before the lease is released",
)


def world() -> list[bytes]:
    """Sessions, and a fork that is named so that it is uploaded before its origin."""
    origin = session("origin", calls=4)
    fork = origin.replace(b'"sessionId":"origin"', b'"sessionId":"a-fork"') + session("a-fork", 2, at=900)
    return [fork, session("other", calls=3, at=300), origin, session("long", calls=30, at=600)]


@pytest.mark.parametrize(
    ("stage", "nth"),
    first_and_third(PROCESSING, "among the rows", "after the commit", once=ONCE_IN_PROCESSING),
)
def test_worker_killed(stage: str, nth: int, bob: User, charlie: User, die: Callable[..., None]) -> None:
    for content in world():
        upload(charlie, content)
    processed()
    for content in world():
        upload(bob, content)
    die(stage, nth, "process")
    report = run("usage", wait=True)
    assert not report.failures
    assert usage_of(bob) == usage_of(charlie)
    assert not SessionTranscript.objects.pending("usage").exists()


@pytest.mark.parametrize(
    ("stage", "nth"),
    first_and_third(
        PUBLISHING,
        "among the tables",
        "among the tables of the lake",
        "after the commit",
        once=ONCE_IN_PUBLISHING,
    ),
)
def test_publisher_killed(stage: str, nth: int, bob: User, die: Callable[..., None]) -> None:
    upload(bob, session("old", at=-86_400))
    process("usage")
    today = (timezone.now() - START).total_seconds()
    for content in (*world(), session("new", at=today - 86_400), session("newer", at=today)):
        upload(bob, content)
    run("usage")
    die(stage, nth, "publish")
    assert UsageDirtyDay.objects.exists() or stored() == expected()
    # What readers see is of one moment, and the roll-ups are the same in both places.
    assert in_lake()["usage_user_daily"] == in_database()["usage_user_daily"]
    publish(wait=True)
    assert stored() == expected()
    assert in_lake() == in_database()
    assert not UsageDirtyDay.objects.exists()


@pytest.mark.parametrize("stage", quickly(STARTING_ANEW, "after the days are marked"))
def test_killed_while_it_starts_a_lake_anew(stage: str, bob: User, die: Callable[..., None]) -> None:
    for content in world():
        upload(bob, content)
    process("usage")
    LakeSnapshot.objects.update(schema=99)
    die(stage, 1, "publish")
    publish(wait=True)
    assert in_lake() == in_database()
    assert LakeSnapshot.objects.get().is_complete


@pytest.mark.parametrize("stage", quickly(PURGING, "while copies are removed", "before the last commit"))
def test_killed_while_it_purges(stage: str, bob: User, die: Callable[..., None], settings: Any) -> None:
    transcript = plant_transcript(bob)
    plant_event(transcript, "kept")
    plant_event(transcript, "secret", cwd=SECRET)
    publish()
    UsageEvent.objects.filter(cwd=SECRET).delete()
    mark_dirty([AT.date()], purge=True)
    leave_copies()
    die(stage, 1, "publish")
    assert in_lake() == in_database()
    publish(wait=True)
    assert not is_somewhere(settings)
    assert in_lake() == in_database()
    assert not UsageDirtyDay.objects.exists()


@pytest.mark.parametrize("stage", quickly(INTAKE, "after the file is saved", "before the commit"))
def test_uploader_killed(
    stage: str, bob: User, charlie: User, die: Callable[..., None], tmp_path: Path
) -> None:
    first, grown = session("s1", calls=2), session("s1", calls=5)
    upload(charlie, grown)
    upload(bob, first)
    run("usage")
    sent = tmp_path / "sent.jsonl"
    sent.write_bytes(grown)
    die(stage, 1, "upload", bob.email, str(sent))
    assert UsageEvent.objects.filter(user=bob).count() == 2
    assert_stored_parts_are_readable(bob)
    assert upload(bob, grown) == ("same" if stage == "after the commit" else "grown")
    processed()
    assert usage_of(bob) == usage_of(charlie)
    assert_stored_parts_are_readable(bob)


def assert_stored_parts_are_readable(owner: User) -> None:
    live = SessionTranscriptPart.objects.filter(transcript__owner=owner, superseded=False)
    assert live.count() == 1
    assert all(default_storage.exists(part.storage_key) for part in live.select_related("transcript"))
