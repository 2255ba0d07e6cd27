"""After a publish the lake holds what the database holds: every table, every column, in order."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from django.db import connection

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.lake.tables import EXTRACTED, TABLES
from telemetry.models import SessionTranscript, UsageDirtyDay, UsageEvent, UsageSessionSummary
from telemetry.processors.processing import process
from telemetry.publishing import publish
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import files_of, in_database, in_lake, snapshot
from telemetry.tests.planting import AT, plant_event, plant_message, plant_summary, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import Clock

pytestmark = pytest.mark.django_db
TIDY = {"source": "curated", "ref_id": "market/tidy", "component_kind": "skill", "component_name": "clean"}
DAY = AT.date()


@pytest.fixture
def transcript(clock: Clock, bob: User) -> SessionTranscript:
    return plant_transcript(bob)


@pytest.fixture
def world(transcript: SessionTranscript, charlie: User) -> None:
    """Whatever a row can hold, on three days and on none."""
    texts = {"cwd": "/srv/ünï 'quoted' \"twice\" \\ %s\n\t🦆", "git_branch": "", "model": None}
    for number in range(5):
        at = AT + timedelta(days=number % 3, milliseconds=number * 7)
        plant_event(
            transcript, f"e{number}", occurred_at=at, is_error=[None, True, False][number % 3], **texts
        )
    plant_event(transcript, "skill", is_builtin=True, **TIDY)
    plant_event(transcript, "timeless", occurred_at=None)
    plant_message(transcript, "m", output_tokens=2**40)
    plant_message(transcript, "timeless", occurred_at=None)
    plant_summary(transcript, active_seconds="0.125", wall_seconds="999999999999.999")
    plant_summary(plant_transcript(charlie), started_at=None, active_seconds=0, wall_seconds="0.1")
    mark_dirty([None, *(DAY + timedelta(days=number) for number in range(3))])


class TestEveryTable:
    def test_the_lake_equals_the_database(self, world: None):
        publish()
        assert in_lake() == in_database()
        assert all(in_lake().values()), "a table without rows shows nothing"

    def test_what_was_extracted_from_transcripts(self, clock: Clock, bob: User, charlie: User):
        upload(bob, session("s1", calls=20))
        upload(charlie, session("s2", at=86_400))
        process("usage")
        assert in_lake() == in_database()
        upload(bob, session("s1", calls=30))
        process("usage")
        assert in_lake() == in_database()

    def test_it_is_complete(self, world: None):
        publish()
        assert snapshot().is_complete
        assert set(snapshot().versions) == {table.name for table in TABLES}

    def test_rows_that_go_away_go_from_the_lake(self, world: None):
        publish()
        UsageEvent.objects.filter(occurred_at__date=DAY).delete()
        UsageSessionSummary.objects.all().delete()
        mark_dirty([DAY, None])
        publish()
        assert in_lake() == in_database()
        assert DAY not in in_lake()["usage_events"]

    def test_only_marked_days_are_written(self, world: None):
        publish()
        before = dict(files_of(EXTRACTED[0]))
        mark_dirty([DAY])
        publish()
        after = dict(files_of(EXTRACTED[0]))
        assert {day for day in before if before[day] != after[day]} == {DAY}

    def test_moments_are_utc_in_whatever_zone_the_session_is(self, world: None, settings: Any):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TIME ZONE 'Asia/Tokyo'")
        try:
            publish()
        finally:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TIME ZONE 'UTC'")
        assert in_lake() == in_database()

    def test_the_first_and_the_last_day_there_can_be(self, transcript: SessionTranscript):
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        last = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
        plant_event(transcript, "timeless", occurred_at=None)
        for at in (epoch, last):
            plant_event(transcript, str(at), occurred_at=at)
            plant_message(transcript, str(at), occurred_at=at)
        plant_summary(transcript, started_at=last)
        publish()
        assert in_lake() == in_database()
        assert set(in_lake()["usage_events"]) == {None, epoch.date(), last.date()}


class TestFiles:
    def test_what_has_no_time_has_a_partition_of_its_own(self, world: None):
        publish()
        paths = dict(files_of(EXTRACTED[0]))
        assert paths[None].startswith("day=__HIVE_DEFAULT_PARTITION__/")
        assert paths[DAY].startswith("day=2026-05-01/")
        assert [row[0] for row in in_lake()["usage_events"][None]] == [
            str(UsageEvent.objects.get(occurred_at=None).pk)
        ]

    def test_one_sorted_file_a_day_however_large(
        self, transcript: SessionTranscript, monkeypatch: Any, settings: Any
    ):
        monkeypatch.setattr("telemetry.lake.rows.ROWS_AT_ONCE", 7)
        monkeypatch.setattr("telemetry.lake.writing.ROWS_IN_GROUP", 20)
        # Planted in another order than that of their moments.
        for number in range(100):
            plant_event(transcript, str(number), occurred_at=AT + timedelta(seconds=number * 37 % 100))
        publish()
        assert in_lake() == in_database()
        [(day, path)] = files_of(EXTRACTED[0])
        file = pyarrow.parquet.ParquetFile(Path(settings.LAKE_URL) / "usage_events" / path)
        assert day == DAY
        assert file.metadata.num_row_groups == 5
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"

    def test_moments_within_a_millisecond_are_sorted_too(self, transcript: SessionTranscript):
        """Ids begin with milliseconds, so they alone would leave these in any order."""
        for number in range(20):
            plant_event(transcript, str(number), occurred_at=AT + timedelta(microseconds=number * 7 % 20))
        publish()
        assert in_lake() == in_database()

    def test_the_log_holds_no_values_of_rows(self, world: None, settings: Any):
        publish()
        entries = (Path(settings.LAKE_URL) / "usage_events" / "_delta_log").glob("*.json")
        text = "".join(entry.read_text() for entry in entries)
        assert "numRecords" in text
        assert "minValues" not in text
        assert "bob@example.com" not in text


class TestNothingToDo:
    def test_one_query_and_no_commit(self, world: None, django_assert_num_queries: Any):
        publish()
        before = snapshot().versions
        with django_assert_num_queries(1):
            publish()
        assert snapshot().versions == before

    def test_a_table_without_rows_is_left_alone(self, transcript: SessionTranscript):
        """No plugin was used, before or after."""
        plant_event(transcript)
        publish()
        before = snapshot().versions
        mark_dirty([DAY])
        publish()
        changed = {name for name, version in snapshot().versions.items() if version != before[name]}
        assert changed == {"usage_events", "usage_tool_daily", "usage_daily", "usage_user_daily"}

    def test_a_day_without_rows(self, world: None):
        publish()
        before = snapshot().versions
        mark_dirty([date(2020, 1, 1)])
        publish()
        assert snapshot().versions == before
        assert not UsageDirtyDay.objects.exists()
