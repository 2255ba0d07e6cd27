"""Copies of a remote lake's files: what is fetched, what is kept, and what happens without the store."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeChanged, LakeUnavailable
from telemetry.lake import caching
from telemetry.lake.door import connect
from telemetry.lake.location import cache_folder
from telemetry.lake.reading import open_lake
from telemetry.lake.snapshot import Snapshot
from telemetry.models import UsageEvent
from telemetry.publishing import publish
from telemetry.tasks import process_pending, process_usage
from telemetry.tests.lake.bucket import BUCKET, S3Server, s3_server
from telemetry.tests.lake.small_lakes import DAY, EVENTS, create, event, snapshot_of, write
from telemetry.tests.planting import AT, plant_event, plant_transcript

URL = f"s3://{BUCKET}/agnes"
NEXT_DAY = DAY + timedelta(days=1)
TWO_HOURS = 2 * 3600
CHILD = """
import sys
from telemetry.lake.door import connect
from telemetry.lake.snapshot import Snapshot
snapshot = Snapshot.from_json(sys.stdin.read())
with connect(snapshot, memory_limit="200MB") as connection:
    print(connection.execute("SELECT count(*), max(tool_name) FROM usage_events").fetchall())
"""


@pytest.fixture(scope="module")
def running_server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def server(running_server: S3Server) -> S3Server:
    running_server.empty()
    return running_server


@pytest.fixture
def lake(server: S3Server) -> S3Server:
    """Two days of ten events each."""
    create(URL, EVENTS, server.options)
    for day in (DAY, NEXT_DAY):
        write(URL, EVENTS, [event(number, day) for number in range(10)], day, server.options)
    return server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "lake-cache"


def snapshot(lake: S3Server, cache: Path) -> Snapshot:
    return snapshot_of(URL, EVENTS, options=lake.options, cache=cache)


def count(snapshot: Snapshot) -> int:
    with connect(snapshot, memory_limit="200MB") as connection:
        [(found, _)] = connection.execute("SELECT count(*), max(tool_name) FROM usage_events").fetchall()
    return int(found)


def copies(cache: Path) -> set[Path]:
    return {path for path in cache.rglob("*") if path.is_file()}


class TestCopies:
    def test_rows_come_as_from_a_folder(self, lake: S3Server, cache: Path):
        with connect(snapshot(lake, cache), memory_limit="200MB") as connection:
            ids = connection.execute("SELECT id FROM usage_events").fetchall()
        assert ids == [(event(number, day)["id"],) for day in (DAY, NEXT_DAY) for number in range(10)]
        assert len(copies(cache)) == 2

    def test_only_missing_files_are_fetched(self, lake: S3Server, cache: Path):
        assert count(snapshot(lake, cache)) == 20
        inodes = {path: path.stat().st_ino for path in copies(cache)}
        write(URL, EVENTS, [event(1, NEXT_DAY)], NEXT_DAY, lake.options)
        assert count(snapshot(lake, cache)) == 11
        assert len(copies(cache)) == 3
        assert {path: path.stat().st_ino for path in inodes} == inodes

    def test_with_all_copies_there_the_files_are_not_asked_for(
        self, lake: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch
    ):
        count(snapshot(lake, cache))
        monkeypatch.setattr(caching, "_fetch", _refuse)
        assert count(snapshot(lake, cache)) == 20

    def test_a_copy_of_another_size_is_fetched_again(self, lake: S3Server, cache: Path):
        count(snapshot(lake, cache))
        for path in copies(cache):
            path.write_bytes(path.read_bytes()[:-1])
        assert count(snapshot(lake, cache)) == 20

    def test_a_half_received_file_never_gets_its_name(
        self, lake: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("shutil.copyfileobj", lambda source, copy, chunk: copy.write(b"half"))
        with pytest.raises(LakeUnavailable, match="not received whole"):
            count(snapshot(lake, cache))
        assert copies(cache) == set()

    def test_two_processes_may_fill_one_cache(self, lake: S3Server, cache: Path):
        text = snapshot(lake, cache).to_json()
        children = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(3)
        ]
        for child in children:
            assert child.stdin is not None
            child.stdin.write(text)
            child.stdin.close()
        for child in children:
            assert child.stdout is not None
            assert child.stdout.read() == "[(20, 'tool 2')]\n"
            assert child.wait(30) == 0
        assert len(copies(cache)) == 2


class TestRemoval:
    def test_unused_copies_go_after_an_hour(self, lake: S3Server, cache: Path):
        count(snapshot(lake, cache))
        before = copies(cache)
        write(URL, EVENTS, [event(1, NEXT_DAY)], NEXT_DAY, lake.options)
        count(snapshot(lake, cache))
        assert before < copies(cache)
        for path in copies(cache):
            os.utime(path, (time.time() - TWO_HOURS,) * 2)
        assert count(snapshot(lake, cache)) == 11
        assert len(copies(cache)) == 2
        assert len(before & copies(cache)) == 1

    def test_what_a_killed_process_left_goes_too(self, lake: S3Server, cache: Path):
        left = cache / "never purged" / "usage_events" / "day=2026-05-01" / ".half.parquet.0123"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
        os.utime(left, (time.time() - TWO_HOURS,) * 2)
        count(snapshot(lake, cache))
        assert not left.exists()

    def test_all_can_be_removed_at_once(self, lake: S3Server, cache: Path):
        caching.remove_all(cache)
        count(snapshot(lake, cache))
        caching.remove_all(cache)
        assert not list(cache.parent.glob("lake-cache*"))
        assert count(snapshot(lake, cache)) == 20

    def test_what_a_kill_left_of_a_removal_goes_with_the_next(self, cache: Path):
        left = cache.with_name(f"{cache.name}-0123") / "usage_events" / "copy.parquet"
        left.parent.mkdir(parents=True)
        left.touch()
        caching.remove_all(cache)
        assert not list(cache.parent.glob("lake-cache*"))

    def test_a_copy_that_goes_while_it_is_made_means_to_start_again(
        self, lake: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch
    ):
        real = shutil.copyfileobj

        def copy_and_lose(*args: Any) -> None:
            real(*args)
            shutil.rmtree(cache)

        monkeypatch.setattr(shutil, "copyfileobj", copy_and_lose)
        with pytest.raises(LakeChanged) as raised:
            count(snapshot(lake, cache))
        assert raised.value.in_copies

    def test_a_reader_whose_copies_went_is_told(self, lake: S3Server, cache: Path):
        with pytest.raises(LakeChanged):
            _remove_while_reading(snapshot(lake, cache), cache)


class TestWithoutTheStore:
    def test_a_file_that_was_vacuumed_means_that_the_data_changed(self, lake: S3Server, cache: Path):
        from deltalake import DeltaTable

        old = snapshot(lake, cache)
        write(URL, EVENTS, [], NEXT_DAY, lake.options)
        DeltaTable(old.tables[0].url, storage_options=lake.options).vacuum(
            retention_hours=0, enforce_retention_duration=False, dry_run=False
        )
        with pytest.raises(LakeChanged):
            count(old)

    @pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
    @pytest.mark.django_db
    def test_a_store_that_does_not_answer_is_an_error_with_its_cure(
        self, published: S3Server, settings: Any, endpoint: str
    ):
        settings.LAKE_STORAGE_OPTIONS = {**published.options, "AWS_ENDPOINT_URL": endpoint}
        started = time.monotonic()
        with pytest.raises(LakeUnavailable) as raised, open_lake(memory_limit="200MB"):
            pass
        assert time.monotonic() - started < 20
        assert "AGNES_LAKE_URL" in raised.value.hint
        assert "\x1b" not in raised.value.message
        assert "\n" not in raised.value.message


@pytest.fixture
def published(server: S3Server, bob: User, settings: Any) -> S3Server:
    """A lake in a bucket, as the publisher writes it."""
    settings.LAKE_URL = URL
    settings.LAKE_STORAGE_OPTIONS = server.options
    plant_event(plant_transcript(bob), "first")
    mark_dirty([AT.date()])
    publish()
    return server


class TestPublished:
    def test_it_is_read_through_copies_of_this_machine(self, published: S3Server, settings: Any):
        with open_lake(memory_limit="200MB") as lake:
            assert lake.execute("SELECT event_uuid FROM usage_events").fetchall() == [("first",)]
        assert list(Path(settings.DATA_DIR).glob("lake-cache/*/usage_events/day=*/*.parquet"))

    def test_a_purge_leaves_no_copy(self, published: S3Server, settings: Any):
        with open_lake(memory_limit="200MB"):
            pass
        UsageEvent.objects.all().delete()
        mark_dirty([AT.date()], purge=True)
        publish()
        assert not list(Path(settings.DATA_DIR).glob("lake-cache*"))
        with open_lake(memory_limit="200MB") as lake:
            assert lake.execute("SELECT count(*) FROM usage_events").fetchone() == (0,)


class TestPurgedElsewhere:
    """Another machine deleted for privacy: its copies are gone, ours are still there."""

    @pytest.fixture
    def copied(self, published: S3Server, settings: Any) -> set[Path]:
        """Read here, then deleted there."""
        with open_lake(memory_limit="200MB"):
            pass
        elsewhere, settings.DATA_DIR = settings.DATA_DIR, settings.DATA_DIR / "elsewhere"
        UsageEvent.objects.all().delete()
        mark_dirty([AT.date()], purge=True)
        publish()
        settings.DATA_DIR = elsewhere
        found = copies(cache_folder())
        assert any(path.parts[-3] == "usage_events" for path in found)
        return found

    def test_they_go_when_any_table_is_opened(self, copied: set[Path]):
        with open_lake("usage_tool_daily", memory_limit="200MB"):
            pass
        assert not copied & copies(cache_folder())

    def test_they_go_with_any_task(self, copied: set[Path]):
        process_pending()
        assert not copies(cache_folder())

    def test_what_was_copied_since_stays(self, copied: set[Path]):
        with open_lake(memory_limit="200MB"):
            pass
        kept = copies(cache_folder())
        process_usage()
        with open_lake(memory_limit="200MB"):
            pass
        assert copies(cache_folder()) == kept

    def test_a_day_without_use_is_enough(self, published: S3Server):
        with open_lake(memory_limit="200MB"):
            pass
        old, *others = copies(cache_folder())
        os.utime(old, (time.time() - 25 * 3600,) * 2)
        process_usage()
        assert copies(cache_folder()) == set(others)


def _remove_while_reading(snapshot: Snapshot, cache: Path) -> None:
    with connect(snapshot, memory_limit="200MB") as connection:
        caching.remove_all(cache)
        connection.execute("SELECT max(tool_name) FROM usage_events").fetchall()


def _refuse(*args: object) -> None:
    raise AssertionError("nothing was to be fetched")
