"""The current snapshot through the door, on lakes that the publisher wrote."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeChanged, LakeNotBuilt, LakeUnavailable
from telemetry.lake.reading import current_snapshot, open_lake
from telemetry.lake.tables import TABLES
from telemetry.models import LakeSnapshot, PublishingState, SessionTranscript, UsageEvent
from telemetry.publishing import publish
from telemetry.tests.planting import AT, plant_event, plant_transcript

MEMORY = "200MB"
COUNT = "SELECT count(*) FROM usage_events"


@pytest.fixture
def transcript(bob: User) -> SessionTranscript:
    return plant_transcript(bob)


@pytest.fixture
def published(transcript: SessionTranscript) -> SessionTranscript:
    add_event(transcript, "first")
    publish()
    return transcript


def add_event(transcript: SessionTranscript, identity: str) -> UsageEvent:
    event = plant_event(transcript, identity)
    mark_dirty([AT.date()])
    return event


class TestCurrentSnapshot:
    def test_it_holds_what_was_published(self, published: SessionTranscript):
        snapshot = current_snapshot()
        assert [table.name for table in snapshot.tables] == [table.name for table in TABLES]
        assert {table.name: table.version for table in snapshot.tables} == LakeSnapshot.objects.get().versions
        as_of = PublishingState.objects.get().as_of
        assert as_of is not None
        assert snapshot.as_of == as_of.isoformat()
        with open_lake(memory_limit=MEMORY) as lake:
            rows = lake.execute("SELECT event_uuid, tool_name FROM usage_events").fetchall()
            assert rows == [("first", "Bash")]
            assert lake.execute("SELECT invocations FROM usage_tool_daily").fetchall() == [(1,)]

    @pytest.mark.usefixtures("db")
    def test_before_the_first_publish_it_says_what_to_do(self):
        with pytest.raises(LakeNotBuilt) as raised:
            current_snapshot()
        assert "lake_rebuild" in raised.value.hint

    @pytest.mark.parametrize("values", [{"is_complete": False}, {"schema": 0}])
    def test_a_lake_that_is_being_built_is_not_read(self, published: SessionTranscript, values: Any):
        LakeSnapshot.objects.update(**values)
        with pytest.raises(LakeNotBuilt), open_lake(memory_limit=MEMORY):
            pass

    def test_secrets_are_not_shown(self, published: SessionTranscript, settings: Any):
        settings.LAKE_URL = "s3://bucket/lake"
        settings.LAKE_STORAGE_OPTIONS = {"AWS_SECRET_ACCESS_KEY": "very secret"}
        assert "very secret" not in repr(current_snapshot())
        assert "very secret" in current_snapshot().to_json()


class TestWhilePublishing:
    def test_a_reader_sees_its_snapshot_to_the_end(self, published: SessionTranscript):
        with open_lake(memory_limit=MEMORY) as old:
            for number in range(3):
                add_event(published, f"later {number}")
                publish()
                assert old.execute(COUNT).fetchone() == (1,)
            with open_lake(memory_limit=MEMORY) as new:
                assert new.execute(COUNT).fetchone() == (4,)

    @pytest.mark.django_db(transaction=True)
    def test_readers_beside_a_publisher_see_whole_states(self, published: SessionTranscript):
        stop = threading.Event()
        seen: list[tuple[int, int]] = []
        failures: list[BaseException] = []
        reader = threading.Thread(target=_read_until, args=(stop, seen, failures))
        reader.start()
        try:
            for number in range(8):
                add_event(published, f"later {number}")
                publish()
        finally:
            stop.set()
            reader.join(60)
        assert failures == []
        assert seen == sorted(seen)
        assert all(events == invocations for events, invocations in seen)
        assert len(seen) > 1

    def test_a_purge_under_a_reader_is_said_so(self, published: SessionTranscript):
        with pytest.raises(LakeChanged) as raised:
            _purge_while_reading(published)
        assert raised.value.hint == "Start again."
        with open_lake(memory_limit=MEMORY) as lake:
            assert lake.execute(COUNT).fetchone() == (0,)


class TestDamage:
    def test_a_missing_file_needs_an_operator(self, published: SessionTranscript, settings: Any):
        for file in Path(settings.LAKE_URL).glob("usage_events/*/*.parquet"):
            file.unlink()
        with pytest.raises(LakeUnavailable) as raised:
            _count()
        assert "lake_rebuild" in raised.value.hint

    def test_a_file_that_was_cut_short_needs_an_operator(self, published: SessionTranscript, settings: Any):
        for file in Path(settings.LAKE_URL).glob("usage_events/*/*.parquet"):
            os.truncate(file, 2000)
        with pytest.raises(LakeUnavailable) as raised:
            _count()
        assert "lake_rebuild" in raised.value.hint
        assert "LINE" not in raised.value.message

    def test_a_missing_lake_needs_an_operator(self, published: SessionTranscript, settings: Any):
        shutil.rmtree(settings.LAKE_URL)
        with pytest.raises(LakeUnavailable):
            _count()

    def test_tables_that_are_not_asked_for_do_no_harm(self, published: SessionTranscript, settings: Any):
        shutil.rmtree(Path(settings.LAKE_URL, "usage_daily"))
        with open_lake("usage_events", memory_limit=MEMORY) as lake:
            assert lake.execute(COUNT).fetchone() == (1,)


def _count() -> None:
    with open_lake(memory_limit=MEMORY) as lake:
        lake.execute(COUNT).fetchall()


def _purge_while_reading(transcript: SessionTranscript) -> None:
    with open_lake(memory_limit=MEMORY) as lake:
        UsageEvent.objects.all().delete()
        mark_dirty([AT.date()], purge=True)
        publish()
        lake.execute("SELECT max(tool_name) FROM usage_events").fetchall()


def _read_until(stop: threading.Event, seen: list[tuple[int, int]], failures: list[BaseException]) -> None:
    from django.db import connection

    query = f"SELECT ({COUNT}), (SELECT sum(invocations)::BIGINT FROM usage_tool_daily)"
    try:
        while not stop.is_set():
            with open_lake(memory_limit=MEMORY) as lake:
                seen += lake.execute(query).fetchall()
    except Exception as error:
        failures.append(error)
    finally:
        connection.close()
