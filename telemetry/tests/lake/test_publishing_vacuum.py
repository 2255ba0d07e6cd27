"""Old versions are kept for a day, and the log does not grow for ever."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.lake import vacuuming
from telemetry.lake.tables import EXTRACTED
from telemetry.models import SessionTranscript
from telemetry.publishing import publish
from telemetry.tests.lake.reading import files_of, in_database, in_lake, snapshot
from telemetry.tests.planting import AT, plant_event, plant_transcript
from telemetry.tests.rollups.conftest import Clock

pytestmark = pytest.mark.django_db
DAY = AT.date()


@pytest.fixture
def transcript(clock: Clock, bob: User) -> SessionTranscript:
    """What was replaced is dated by our clock, and removed by the real one."""
    clock.now = datetime.now(UTC)
    transcript = plant_transcript(bob)
    plant_event(transcript)
    mark_dirty([DAY])
    publish()
    return transcript


def parquet_files(settings: Any) -> set[str]:
    return {path.name for path in Path(settings.LAKE_URL, "usage_events").rglob("*.parquet")}


def publish_again(transcript: SessionTranscript, clock: Clock, identity: str) -> None:
    plant_event(transcript, identity)
    mark_dirty([DAY])
    publish()


class TestOldVersions:
    def test_they_go_after_a_day(self, transcript: SessionTranscript, clock: Clock, settings: Any):
        now = clock.now
        [first] = parquet_files(settings)
        clock.now = now - timedelta(hours=25)
        publish_again(transcript, clock, "a day ago")
        clock.now = now - timedelta(hours=23)
        [second] = {Path(path).name for _, path in files_of(EXTRACTED[0])}
        publish_again(transcript, clock, "less than a day ago")
        clock.now = now
        publish_again(transcript, clock, "now")
        left = parquet_files(settings)
        assert first not in left
        assert second in left
        assert in_lake() == in_database()

    def test_at_most_hourly(self, transcript: SessionTranscript, clock: Clock):
        vacuumed = snapshot().vacuumed_at
        clock.move(minutes=59)
        publish_again(transcript, clock, "b")
        assert snapshot().vacuumed_at == vacuumed
        clock.move(minutes=2)
        publish_again(transcript, clock, "c")
        assert snapshot().vacuumed_at == clock.now
        assert in_lake() == in_database()
        publish_again(transcript, clock, "d")
        assert in_lake() == in_database()


class TestTheLog:
    def test_it_stays_short(
        self, transcript: SessionTranscript, clock: Clock, settings: Any, monkeypatch: Any
    ):
        monkeypatch.setattr(vacuuming, "COMMITS_BETWEEN_CHECKPOINTS", 4)
        log = Path(settings.LAKE_URL) / "usage_events" / "_delta_log"
        for number in range(20):
            publish_again(transcript, clock, str(number))
            days_ago = time.time() - 3 * 86_400
            for entry in log.iterdir():
                os.utime(entry, (days_ago, days_ago))
            assert in_lake() == in_database()
        assert len(list(log.iterdir())) < 15
