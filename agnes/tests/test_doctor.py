"""`manage.py doctor`: it finds what is planted here, says the cure, and with --fix cures it."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import Schedule

from accounts.models import AuditLog, User
from agnes import schedules
from marketplace.models import StoreVersion
from marketplace.tests.planting import plant_entity
from telemetry import worker_heartbeat
from telemetry.files.storage import stored_size
from telemetry.leases import Lease
from telemetry.models import SessionTranscript, SessionTranscriptPart, UsageDirtyDay, UsageEvent
from telemetry.processors.processing import process
from telemetry.publishing import LEASE
from telemetry.tests.builders import assistant_line, tool_use, user_line
from telemetry.tests.planting import plant_event, plant_state, plant_transcript, store

Doctor = Callable[..., str]
DAYS_AGO = 3 * 24 * 3600


@pytest.fixture
def well(db: None, settings: Any) -> None:
    """An installation without a finding."""
    settings.TOKEN_PEPPER = "x" * 40
    settings.LAKE_URL_IS_CHOSEN = True
    worker_heartbeat.beat("agnes:test")
    schedules.sync()


@pytest.fixture
def doctor(well: None) -> Doctor:
    """`doctor("--fix")` is what it printed; `left` is how many findings it left."""

    def run(*arguments: str, left: int = 0) -> str:
        out = StringIO()
        told = f"{left} findings? left to cure"
        with pytest.raises(CommandError, match=told) if left else nullcontext():
            call_command("doctor", *arguments, stdout=out)
        return out.getvalue()

    return run


def plant(path: Path, *, age: int = DAYS_AGO, content: bytes = b"left") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def transcript(bob: User) -> SessionTranscript:
    return store(bob, user_line("Hello"), assistant_line(tool_use("Bash")))


def file_of(transcript: SessionTranscript, folder: Path) -> Path:
    return folder / transcript.parts.get().storage_key


class TestDoctor:
    def test_a_sound_installation(self, doctor: Doctor, transcript: SessionTranscript):
        process("usage")
        told = doctor()
        assert told.endswith("Nothing is left to cure.\n")
        assert "Stored transcripts: well" in told
        assert "finding" not in told
        assert not AuditLog.objects.filter(action="doctor.fix").exists()

    def test_quietly(self, doctor: Doctor):
        assert doctor("--verbosity", "0") == ""

    def test_a_system_check(self, doctor: Doctor, settings: Any):
        settings.TOKEN_PEPPER = "x"
        told = doctor(left=1)
        assert "  agnes.W001: TOKEN_PEPPER is shorter than 32 characters.\n    Cure: Make one with " in told

    def test_what_readyz_says(self, doctor: Doctor):
        UsageDirtyDay.objects.create(marked_at=timezone.now() - timedelta(hours=5))
        assert "Changes have waited for 5 hours" in doctor(left=1)

    def test_schedules(self, doctor: Doctor):
        Schedule.objects.filter(name="agnes: process usage").delete()
        assert "agnes: process usage" in doctor(left=1)
        doctor("--fix")
        assert Schedule.objects.filter(name="agnes: process usage").exists()
        doctor()

    def test_transcripts_that_were_given_up(self, doctor: Doctor, transcript: SessionTranscript):
        plant_state(transcript, processed_at=None, attempts=3)
        assert "1 transcript that a processor has given up" in doctor("--fix", left=1)

    @pytest.mark.parametrize("hours", ["-1", "soon"])
    def test_a_wrong_age_is_told(self, well: None, hours: str):
        with pytest.raises(CommandError, match="--min-age"):
            call_command("doctor", f"--min-age={hours}")


class TestStoredFiles:
    def test_a_file_without_a_row(
        self, doctor: Doctor, own_data_folder: Path, bob: User, transcript: SessionTranscript
    ):
        folder = own_data_folder / "transcripts" / str(bob.pk)
        stray = plant(folder / f"{'b' * 64}.jsonl.zst")
        half = plant(folder / ".abcd_123")
        told = doctor(left=1)
        assert f"2 stored files without a row (8\xa0bytes): transcripts/{bob.pk}/.abcd_123, " in told
        assert stray.exists()
        assert "Removed 2 stored files." in doctor("--fix")
        assert not stray.exists()
        assert not half.exists()
        assert file_of(transcript, own_data_folder).exists()
        row = AuditLog.objects.get(action="doctor.fix")
        assert (row.params, row.client_kind) == ({"did": "Removed 2 stored files."}, "command")
        doctor()

    def test_a_folder_of_nobody(self, doctor: Doctor, own_data_folder: Path):
        stray = plant(own_data_folder / "transcripts" / "9999" / f"{'b' * 64}.jsonl.zst")
        doctor("--fix")
        assert not stray.parent.exists()

    def test_what_is_young_may_be_an_upload_under_way(self, doctor: Doctor, own_data_folder: Path, bob: User):
        young = plant(own_data_folder / f"transcripts/{bob.pk}/{'b' * 64}.jsonl.zst", age=3600)
        doctor("--fix")
        assert young.exists()
        doctor("--fix", "--min-age", "0")
        assert not young.exists()

    def test_what_is_not_ours_is_left_alone(self, doctor: Doctor, own_data_folder: Path, bob: User):
        mine = plant(own_data_folder / f"transcripts/{bob.pk}/notes.txt")
        doctor("--fix")
        assert mine.exists()

    def test_the_file_of_a_superseded_part(self, doctor: Doctor, transcript: SessionTranscript):
        """An upload that was killed between its commit and the removal."""
        SessionTranscriptPart.objects.update(superseded=True)
        doctor("--fix", "--min-age", "0")
        assert stored_size(transcript.parts.get().storage_key) is None

    def test_an_upload_that_comes_meanwhile_keeps_its_file(
        self, doctor: Doctor, own_data_folder: Path, bob: User, transcript: SessionTranscript, monkeypatch
    ):
        """The row appears after the doctor looked, and before it removes."""
        key = transcript.parts.get().storage_key
        os.utime(own_data_folder / key, (0, 0))
        SessionTranscriptPart.objects.update(superseded=True)
        message = "Removed 0 stored files."
        from telemetry.strays import stored_files

        real = stored_files._remove

        def remove_late(strays: Any, before: Any) -> str:
            SessionTranscriptPart.objects.update(superseded=False)
            return real(strays, before)

        monkeypatch.setattr(stored_files, "_remove", remove_late)
        assert message in doctor("--fix")
        assert stored_size(key)

    @pytest.mark.parametrize("content", [None, b"cut"])
    def test_a_row_without_its_file_is_told_and_kept(
        self, doctor: Doctor, own_data_folder: Path, transcript: SessionTranscript, content: bytes | None
    ):
        """The same upload would bring it back; removing the row would make the loss final."""
        file = file_of(transcript, own_data_folder)
        file.unlink()
        if content:
            plant(file, content=content)
        told = doctor("--fix", left=1)
        assert f"1 transcript of which a stored file is missing or damaged: {transcript}." in told
        assert "uploaded again" in told
        assert transcript.parts.exists()

    def test_many_are_not_all_named(self, doctor: Doctor, bob: User, charlie: User):
        for number in range(9):
            plant_transcript(bob, f"s{number}")
        assert "and 4 more." in doctor(left=1)


class TestSpool:
    def test_leftovers_of_what_was_killed(self, doctor: Doctor, own_data_folder: Path):
        spool = own_data_folder / "spool"
        upload, export = plant(spool / "tmpabc.jsonl.zst"), plant(spool / "export-1" / "part")
        os.utime(export.parent, (0, 0))
        assert "2 leftovers in the spool folder" in doctor(left=1)
        assert "Removed 2 leftovers." in doctor("--fix")
        assert not upload.exists()
        assert not export.parent.exists()

    def test_an_index_without_its_transcript(
        self, doctor: Doctor, own_data_folder: Path, transcript: SessionTranscript
    ):
        spool = own_data_folder / "spool"
        gone = plant(spool / "index-999999-1-v1.sqlite3", age=60)
        kept = plant(spool / f"index-{transcript.pk}-1-v1.sqlite3", age=60)
        assert "1 index of transcripts that are gone" in doctor(left=1)
        doctor("--fix")
        assert not gone.exists()
        assert kept.exists()


class TestFleaMarket:
    def test_packs_without_a_version(self, doctor: Doctor, own_data_folder: Path):
        stray = plant(own_data_folder / "store" / "abc-1.zip")
        assert "1 pack that no version has: store/abc-1.zip." in doctor(left=1)
        assert "Removed 1 pack that no version has." in doctor("--fix")
        assert not stray.exists()

    def test_versions_without_their_pack(self, doctor: Doctor, bob: User):
        entity = plant_entity(bob, "broom")
        StoreVersion.objects.filter(entity=entity).update(pack="store/gone.zip")
        assert "without files: broom" in doctor("--fix", left=1)


class TestLake:
    @pytest.fixture(autouse=True)
    def published(self, well: None, transcript: SessionTranscript) -> None:
        process("usage")

    def test_a_file_that_no_table_knows(self, doctor: Doctor, own_data_folder: Path):
        stray = plant(own_data_folder / "lake/usage_events/day=2026-05-01/part-stray.parquet")
        told = doctor(left=1)
        assert (
            "1 file in the lake that no table knows: usage_events/day=2026-05-01/part-stray.parquet" in told
        )
        doctor("--fix")
        assert not stray.exists()
        doctor()

    def test_a_file_that_was_half_written(self, doctor: Doctor, own_data_folder: Path):
        folder = own_data_folder / "lake/usage_events/day=2026-05-01"
        half = plant(folder / "part.zstd.parquet#1")
        young = plant(folder / "part.zstd.parquet#2", age=3600)
        assert "1 file in the lake that no table knows: usage_events/day=2026-05-01/part" in doctor(left=1)
        doctor("--fix")
        assert (half.exists(), young.exists()) == (False, True)
        doctor("--fix", "--min-age", "0")
        assert not young.exists()

    def test_a_publisher_is_at_work(self, doctor: Doctor, own_data_folder: Path):
        stray = plant(own_data_folder / "lake/usage_events/day=2026-05-01/part-stray.parquet")
        lease = Lease(*LEASE)
        assert lease.take()
        assert "Not cured: A publisher is at work on the lake." in doctor("--fix", left=1)
        lease.release()
        assert stray.exists()

    def test_a_missing_file(self, doctor: Doctor, own_data_folder: Path):
        next((own_data_folder / "lake/usage_events").rglob("*.parquet")).unlink()
        told = doctor(left=1)
        assert "1 file of the lake missing or cut short" in told
        assert "manage.py lake_rebuild" in told

    def test_a_missing_table(self, doctor: Doctor, own_data_folder: Path):
        for log in (own_data_folder / "lake/usage_events/_delta_log").iterdir():
            log.unlink()
        assert "lack versions or files" in doctor(left=1)

    def test_copies_of_a_former_bucket(self, doctor: Doctor, own_data_folder: Path):
        copy = plant(own_data_folder / "lake-cache" / "never purged" / "usage_events" / "part-1.parquet")
        assert "a bucket that is not the lake any more" in doctor(left=1)
        doctor("--fix")
        assert not copy.exists()


def test_an_event_that_is_there_twice(doctor: Doctor, bob: User, transcript: SessionTranscript):
    process("usage")
    event = plant_event(transcript)
    twin = UsageEvent.objects.get(pk=event.pk)
    twin.pk = UUID(int=twin.pk.int + (1 << 80))
    twin.save(force_insert=True)
    assert f"that are there twice: {transcript}." in doctor(left=1)
    assert "1 transcript will be processed again." in doctor("--fix")
    process("usage")
    doctor()


def test_without_tables_it_examines_what_it_can(doctor: Doctor):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="telemetry").delete()
    told = doctor(left=1)
    assert "Run `manage.py migrate`." in told
    assert "Lake: not examined" in told
