"""A lake that is not there, not this database's, or of another version is noticed and built anew."""

import shutil
from pathlib import Path
from typing import Any

import deltalake
import pytest

from accounts.models import AuditLog, User
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeUnavailable
from telemetry.lake import opening
from telemetry.lake.tables import TABLES
from telemetry.maintenance import lake_rebuilding as rebuilding
from telemetry.models import LakeSnapshot, SessionTranscript, UsageDirtyDay, UsageEvent
from telemetry.processors.processing import process
from telemetry.publishing import publish
from telemetry.rollups.rebuilding import make, replace
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import in_database, in_lake, snapshot
from telemetry.tests.planting import AT, plant_event, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import NOW, Clock
from telemetry.tests.rollups.test_publishing import last_days, plant

pytestmark = pytest.mark.django_db
OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def transcript(clock: Clock, bob: User) -> SessionTranscript:
    transcript = plant_transcript(bob)
    plant(transcript, *last_days(3))
    plant_event(transcript, "timeless", occurred_at=None)
    publish()
    return transcript


@pytest.fixture
def lake(settings: Any) -> Path:
    return Path(settings.LAKE_URL)


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_it_is_built_anew(caplog: Any, reason: str) -> None:
    caplog.clear()
    publish()
    assert in_lake() == in_database()
    assert sum(map(len, in_lake()["usage_events"].values())) == 4
    assert snapshot().is_complete
    assert not UsageDirtyDay.objects.exists()
    [message] = [record.message for record in caplog.records if record.name == opening.__name__]
    assert reason in message


class TestNoticed:
    def test_a_schema_of_another_version(self, transcript: SessionTranscript, caplog: Any):
        LakeSnapshot.objects.update(schema=99)
        assert_it_is_built_anew(caplog, "schema 99")

    def test_a_deleted_folder(self, transcript: SessionTranscript, lake: Path, caplog: Any):
        shutil.rmtree(lake)
        assert_it_is_built_anew(caplog, "missing")

    def test_a_deleted_table(self, transcript: SessionTranscript, lake: Path, caplog: Any):
        shutil.rmtree(lake / "usage_daily")
        mark_dirty([NOW.date()])
        assert_it_is_built_anew(caplog, "usage_daily is missing")

    def test_a_database_that_was_upgraded(self, transcript: SessionTranscript, lake: Path, caplog: Any):
        shutil.rmtree(lake)
        LakeSnapshot.objects.all().delete()
        caplog.clear()
        publish()
        assert in_lake() == in_database()
        assert "has none yet" in caplog.text

    def test_a_database_that_was_restored_from_a_backup(self, transcript: SessionTranscript, caplog: Any):
        """The lake has versions that the database does not know."""
        old = snapshot().versions
        plant_event(transcript, "later", occurred_at=NOW)
        mark_dirty([NOW.date()])
        publish()
        UsageEvent.objects.filter(event_uuid="later").delete()
        make([NOW.date()])
        replace([NOW.date()])
        LakeSnapshot.objects.update(versions=old)
        mark_dirty([AT.date()])
        publish()
        assert in_lake() == in_database()

    def test_it_is_not_complete_before_all_days_are_there(
        self, transcript: SessionTranscript, lake: Path, monkeypatch: Any
    ):
        monkeypatch.setattr("telemetry.publishing.BATCH_DAYS", 1)
        shutil.rmtree(lake)
        assert publish(seconds=0).out_of_time
        assert not snapshot().is_complete
        publish()
        assert snapshot().is_complete
        assert in_lake() == in_database()


class TestNotOurs:
    """What somebody else keeps there is left alone."""

    def assert_refused(self, lake: Path, message: str, cure: str) -> None:
        before = bytes_of(lake)
        mark_dirty([NOW.date()])
        with pytest.raises(LakeUnavailable, match=message) as raised:
            publish()
        assert cure in raised.value.hint
        assert bytes_of(lake) == before
        assert cure not in raised.value.message

    @pytest.mark.parametrize("of_an_upgraded_database", [False, True])
    def test_the_lake_of_another_database(
        self, transcript: SessionTranscript, lake: Path, of_an_upgraded_database: bool
    ):
        LakeSnapshot.objects.update(lake_id=OTHER)
        if of_an_upgraded_database:
            LakeSnapshot.objects.all().delete()
        self.assert_refused(lake, "another database of Agnes", "lake_rebuild")
        rebuilding.rebuild_lake()
        assert in_lake() == in_database()
        mark_dirty([NOW.date()])
        publish()

    def test_tables_of_something_else(self, transcript: SessionTranscript, lake: Path):
        import pyarrow as pa
        from deltalake import write_deltalake

        shutil.rmtree(lake)
        write_deltalake(lake / "usage_events", pa.table({"precious": [1]}))
        self.assert_refused(lake, "something else", "AGNES_LAKE_URL")
        before = bytes_of(lake)
        with pytest.raises(LakeUnavailable, match="something else"):
            rebuilding.rebuild_lake()
        assert bytes_of(lake) == before


class TestRebuild:
    def rebuild(self, **options: Any) -> None:
        rebuilding.rebuild_lake(**options)
        assert in_lake() == in_database()
        assert snapshot().is_complete
        assert snapshot().rebuilding_since is None

    def test_what_was_changed_by_hand_is_right_again(self, transcript: SessionTranscript):
        UsageEvent.objects.filter(occurred_at__date=NOW.date()).update(cwd="/by/hand")
        assert in_lake() != in_database()
        self.rebuild()

    def test_days_that_the_database_lost_go(self, transcript: SessionTranscript):
        UsageEvent.objects.all().delete()
        for table in TABLES:
            table.model._default_manager.all().delete()
        self.rebuild()
        assert not any(in_lake().values())

    def test_readers_keep_their_tables_meanwhile(self, transcript: SessionTranscript):
        """No step shows fewer rows."""
        seen = []
        self.rebuild(on_progress=lambda done, of: seen.append((done, of, snapshot().is_complete, in_lake())))
        assert [row[:3] for row in seen] == [(3, 3, True)]
        assert seen[0][3] == in_database()

    def test_interrupted_it_goes_on_where_it_was(self, transcript: SessionTranscript, monkeypatch: Any):
        monkeypatch.setattr("telemetry.publishing.BATCH_DAYS", 1)

        def interrupt(done: int, of: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuilding.rebuild_lake(on_progress=interrupt)
        left = []
        self.rebuild(on_progress=lambda done, of: left.append((done, of)))
        assert left == [(1, 2), (2, 2)]
        audited = AuditLog.objects.filter(action="lake.rebuild").order_by("id")
        assert [row.params["goes_on"] for row in audited] == [False, True]

    @pytest.mark.parametrize("damage", ["no folder", "no log", "broken log", "no files"])
    def test_whatever_is_left_of_it(self, transcript: SessionTranscript, lake: Path, damage: str):
        if damage == "no folder":
            shutil.rmtree(lake)
        elif damage == "no log":
            shutil.rmtree(lake / "usage_events" / "_delta_log")
        elif damage == "no files":
            for file in lake.glob("*/*/*.parquet"):
                file.unlink()
        else:
            for entry in (lake / "usage_events" / "_delta_log").glob("*.json"):
                entry.write_text("{broken")
            mark_dirty([NOW.date()])
            with pytest.raises(LakeUnavailable, match="cannot be"):
                publish()
        self.rebuild()

    @pytest.mark.parametrize("failures", [1, 99])
    def test_a_store_that_gives_no_answer_costs_nothing(
        self, transcript: SessionTranscript, lake: Path, monkeypatch: Any, failures: int
    ):
        """Whether it was for a moment, or for longer: what is there is good."""
        left = [None] * failures
        real = deltalake.DeltaTable

        def open_table(*args: Any, **options: Any) -> Any:
            if left:
                left.pop()
                raise OSError("Generic S3 error")
            return real(*args, **options)

        before = bytes_of(lake)
        monkeypatch.setattr(opening, "DeltaTable", open_table)
        if failures == 1:
            self.rebuild()
        else:
            with pytest.raises(LakeUnavailable, match="Generic S3 error"):
                rebuilding.rebuild_lake()
        assert before.items() <= bytes_of(lake).items()

    def test_before_there_is_any(self, clock: Clock, bob: User):
        upload(bob, session("s1"))
        process("usage")
        LakeSnapshot.objects.all().delete()
        self.rebuild()
