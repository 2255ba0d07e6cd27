"""Publishers and writers at the same time, in threads with connections of their own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from time import sleep
from typing import Any

import pyarrow.parquet
import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import User
from telemetry import publishing
from telemetry.database.bulk import fetch
from telemetry.dirty_days import mark_dirty
from telemetry.maintenance.withholding import Reason, withhold
from telemetry.models import PublishingLease, SessionTranscript, UsageDirtyDay
from telemetry.publishing import publish
from telemetry.rollups import rebuilding
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.planting import plant_event, plant_transcript
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)
TIDY = {"source": "curated", "ref_id": "market/tidy"}


def in_a_thread(pool: ThreadPoolExecutor, work: Any, *arguments: Any) -> Any:
    def run() -> Any:
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return pool.submit(run)


def write(transcript: SessionTranscript, number: int) -> None:
    """An event of one of five days, as processing writes it: with its mark, or not at all."""
    at = timezone.now() - timedelta(days=number % 5)
    with transaction.atomic():
        plant_event(transcript, f"call {number}", occurred_at=at, **TIDY)
        mark_dirty([at.date()])


def test_whatever_writers_and_publishers_meet_nothing_is_lost(bob: User, charlie: User):
    transcripts = [plant_transcript(owner, "s") for owner in (bob, charlie)]
    together = Barrier(5, timeout=30)
    written = Event()

    def write_many(transcript: SessionTranscript, first: int) -> None:
        together.wait()
        for number in range(first, first + 40):
            write(transcript, number)

    def publish_again_and_again() -> int:
        together.wait()
        published = 0
        while not written.is_set():
            published += publish().published_days
        return published

    with ThreadPoolExecutor(5) as pool:
        publishers = [in_a_thread(pool, publish_again_and_again) for _ in range(3)]
        writers = [in_a_thread(pool, write_many, one, 100 * number) for number, one in enumerate(transcripts)]
        for writer in writers:
            writer.result()
        written.set()
        assert sum(publisher.result() for publisher in publishers) > 0
    publish()
    assert not UsageDirtyDay.objects.exists()
    assert stored() == expected()
    assert in_lake() == in_database()


def test_who_writes_while_a_day_is_made_anew_does_not_wait_and_is_published_afterwards(
    bob: User, monkeypatch: Any
):
    transcript = plant_transcript(bob, "s")
    write(transcript, 0)
    begun, committed = Event(), Event()

    def write_more() -> None:
        begun.wait(30)
        write(transcript, 5)
        committed.set()

    real = rebuilding.make

    def make(days: Any) -> None:
        real(days)
        begun.set()
        assert committed.wait(20), "The writer waits for the publisher."

    monkeypatch.setattr(rebuilding, "make", make)
    with ThreadPoolExecutor(1) as pool:
        writer = in_a_thread(pool, write_more)
        assert publish().published_days == 1
        writer.result()
    publish()
    assert not UsageDirtyDay.objects.exists()
    assert stored() == expected()
    assert in_lake() == in_database()
    assert sum(row[3] for row in stored()["usage_plugin_daily"]) == 2


def test_a_publisher_that_lost_its_lease_leaves_the_rest_to_the_other(bob: User, monkeypatch: Any):
    """It was so slow that its lease expired, and another took it while it began its next day."""
    transcript = plant_transcript(bob, "s")
    for number in range(3):
        write(transcript, number)
    monkeypatch.setattr(publishing, "BATCH_DAYS", 1)

    def another_takes_over() -> None:
        PublishingLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        monkeypatch.undo()
        assert publish().published_days == 2

    real = publishing._publish_days
    calls = []

    def publish_days(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            with ThreadPoolExecutor(1) as pool:
                in_a_thread(pool, another_takes_over).result()
        real(*arguments)

    monkeypatch.setattr(publishing, "_publish_days", publish_days)
    report = publish()
    assert (report.published_days, report.left_to_other) == (1, True)
    assert not UsageDirtyDay.objects.exists()
    assert stored() == expected()
    assert in_lake() == in_database()


def test_a_publisher_that_reads_for_long_keeps_its_lease(bob: User, monkeypatch: Any, settings: Any):
    settings.PROCESSOR_CLAIM_SECONDS = 1
    write(plant_transcript(bob, "s"), 0)
    real = rebuilding.make
    others: list[bool] = []

    def make(days: Any) -> None:
        real(days)
        monkeypatch.undo()
        sleep(2.5)
        with ThreadPoolExecutor(1) as pool:
            others.append(in_a_thread(pool, publish).result().left_to_other)

    monkeypatch.setattr(rebuilding, "make", make)
    report = publish()
    assert others == [True]
    assert (report.published_days, report.left_to_other) == (1, False)


def test_what_was_removed_for_good_meanwhile_does_not_come_back(
    bob: User, charlie: User, monkeypatch: Any, settings: Any
):
    """A publisher has read a session, and is so slow that its lease expires while the session is removed."""
    for owner in (bob, charlie):
        write(plant_transcript(owner, f"of {owner.email}"), 0)
    real = rebuilding.make
    left: list[list[str]] = []

    def remove() -> None:
        PublishingLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        left.append(withhold(bob, f"of {bob.email}", reason=Reason.PRIVATE, actor=None).left)

    def make(days: Any) -> None:
        real(days)
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as pool:
            in_a_thread(pool, remove).result()

    monkeypatch.setattr(rebuilding, "make", make)
    assert publish().left_to_other
    assert left == [[]]
    files = Path(settings.DATA_DIR, "lake", "usage_events").rglob("*.parquet")
    rows = [row for file in files for row in pyarrow.parquet.ParquetFile(file).read().to_pylist()]
    assert {row["session_id"] for row in rows} == {f"of {charlie.email}"}
    assert made() == 0


def made() -> int:
    """Rows that a publish left in a temporary table of this connection."""
    [(rows,)] = fetch("SELECT count(*) FROM made_usage_user_daily")
    return int(rows)
