"""A privacy deletion leaves no byte of what was deleted, in no file of the lake and in no copy of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeUnavailable
from telemetry.lake import publishing as lake_publishing
from telemetry.lake.location import cache_folder
from telemetry.models import PublishingLease, SessionTranscript, UsageDirtyDay, UsageEvent
from telemetry.publishing import publish
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.planting import AT, plant_event, plant_summary, plant_transcript
from telemetry.tests.rollups.conftest import Clock

pytestmark = pytest.mark.django_db
SECRET = "very-secret-folder-of-bob"


def texts_below(*folders: Path) -> Iterator[str]:
    """Every byte of every file, and every value of every Parquet file."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path) + path.read_bytes().decode("latin-1")
                if path.name.endswith(".parquet"):
                    yield str(pyarrow.parquet.ParquetFile(path).read().to_pylist())


def is_somewhere(settings: Any, text: str = SECRET) -> bool:
    return any(text in found for found in texts_below(Path(settings.DATA_DIR)))


@pytest.fixture
def transcript(clock: Clock, bob: User, settings: Any) -> SessionTranscript:
    transcript = plant_transcript(bob)
    for day in (AT, None):
        plant_event(transcript, f"secret {day}", occurred_at=day, cwd=SECRET, tool_name=SECRET)
        plant_event(transcript, f"plain {day}", occurred_at=day)
    plant_summary(transcript, cwd=SECRET)
    mark_dirty([AT.date(), None])
    publish()
    leave_copies()
    assert is_somewhere(settings)
    return transcript


def leave_copies() -> None:
    """Copies of a bucket's files, and a folder of such whose removal was interrupted."""
    for folder in (cache_folder(), cache_folder().with_name("lake-cache-0123")):
        folder.mkdir()
        (folder / "copy.parquet.part").write_text(SECRET)


def forget(transcript: SessionTranscript, *, purge: bool = True) -> None:
    UsageEvent.objects.filter(cwd=SECRET).delete()
    transcript.__class__.objects.filter(pk=transcript.pk).update(session_id="other")
    from telemetry.models import UsageSessionSummary

    UsageSessionSummary.objects.all().delete()
    mark_dirty([AT.date(), None], purge=purge)


class TestPurge:
    def test_nothing_is_left(self, transcript: SessionTranscript, settings: Any):
        forget(transcript)
        publish()
        assert not is_somewhere(settings)
        assert in_lake() == in_database()
        assert len(in_lake()["usage_events"]) == 2
        assert not UsageDirtyDay.objects.exists()

    def test_without_it_old_files_stay_for_readers(self, transcript: SessionTranscript, settings: Any):
        forget(transcript, purge=False)
        publish()
        assert is_somewhere(settings)

    @pytest.mark.parametrize("name", ["stray.zstd.parquet", "half-written.zstd.parquet#1"])
    def test_files_that_no_commit_knows_go_too(self, transcript: SessionTranscript, settings: Any, name: str):
        stray = Path(settings.LAKE_URL) / "usage_events" / "day=2026-05-01" / name
        stray.write_text(SECRET)
        forget(transcript)
        publish()
        assert not is_somewhere(settings)

    def test_it_is_not_forgotten_when_removing_fails(
        self, transcript: SessionTranscript, settings: Any, monkeypatch: Any
    ):
        def fail(*args: Any, **options: Any) -> None:
            raise LakeUnavailable("gone")

        forget(transcript)
        with monkeypatch.context() as patch:
            patch.setattr(lake_publishing, "remove_old_files", fail)
            with pytest.raises(LakeUnavailable):
                publish()
        assert set(UsageDirtyDay.objects.values_list("purge", flat=True)) == {True}
        publish()
        assert not is_somewhere(settings)
        assert not UsageDirtyDay.objects.exists()

    def test_a_publisher_that_lost_its_lease_removes_nothing(
        self, transcript: SessionTranscript, settings: Any, monkeypatch: Any
    ):
        """Its successor may be writing files that no commit knows yet."""
        forget(transcript)
        stray = Path(settings.LAKE_URL) / "usage_events" / "day=2026-05-01" / "being-written.zstd.parquet"
        real = lake_publishing.PublishedLake.clean_up

        def clean_up(*args: Any) -> None:
            PublishingLease.objects.update(holder="its successor")
            stray.touch()
            real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(lake_publishing.PublishedLake, "clean_up", clean_up)
            assert publish().left_to_other
        assert stray.exists()
        PublishingLease.objects.all().delete()
        publish()
        assert not is_somewhere(settings)

    def test_it_is_done_for_the_days_that_are_done_when_time_is_up(
        self, transcript: SessionTranscript, settings: Any, monkeypatch: Any
    ):
        monkeypatch.setattr("telemetry.publishing.BATCH_DAYS", 1)
        forget(transcript)
        mark_dirty([AT.date().replace(day=2), AT.date().replace(day=3)], purge=True)
        assert publish(seconds=0).out_of_time
        assert set(UsageDirtyDay.objects.values_list("day", flat=True)) == {
            None,
            AT.date(),
            AT.date().replace(day=2),
        }
        while publish(seconds=0).out_of_time:
            pass
        assert not is_somewhere(settings)
