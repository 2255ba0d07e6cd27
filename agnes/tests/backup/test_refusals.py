"""What is no good is refused with the cure, and changes nothing."""

import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.errors import AgnesError
from accounts.models import User
from agnes.backup import restoring
from agnes.backup.archive import ArchiveReader, written
from agnes.backup.checking import check
from agnes.backup.files import named_files
from agnes.backup.format import Head, Manifest
from agnes.backup.making import make_backup
from agnes.errors import BackupDamaged, BackupTooNew, InstallationNotEmpty, MigrationsWait, NoBackup
from agnes.tests.backup.test_backup import ruin, run
from agnes.tests.backup.world import figures, rows_of
from telemetry import worker_heartbeat
from telemetry.processors.processing import process
from telemetry.tests.figures import upload
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[Manifest], None]


@pytest.fixture
def small(bob: User, file: Path) -> Path:
    """A backup of little."""
    upload(bob, session("s1", calls=2))
    process("usage")
    make_backup(file)
    return file


def changed(file: Path, change: Change, head: Head | None = None) -> Path:
    """Another backup, written as if it had been so."""
    reader = ArchiveReader(file)
    manifest = reader.manifest()
    change(manifest)
    other = file.with_name("changed.tar")
    with written(other, head or reader.head) as archive:
        for member in islice(reader.members(), 1, None):
            archive.add(member.name, member.stream, member.size)  # type: ignore[arg-type]
        archive.finish(manifest)
    return other


def refused(file: Path) -> bool:
    try:
        check(file)
    except AgnesError:
        return True
    return False


class TestDamage:
    def test_every_flipped_bit_is_found(self, small: Path):
        """But for those in the padding between members, which say nothing."""
        whole, rows = small.read_bytes(), rows_of(small)
        chance = random.Random(3)
        found = 0
        for _ in range(150):
            place = chance.randrange(len(whole))
            broken = bytearray(whole)
            broken[place] ^= 1 << chance.randrange(8)
            small.write_bytes(broken)
            if refused(small):
                found += 1
            else:
                assert rows_of(small) == rows
        assert found > 75

    def test_wherever_it_ends_too_early_it_is_refused(self, small: Path):
        whole = small.read_bytes()
        chance = random.Random(3)
        # Only the zeros at its end may be missing.
        end = len(whole.rstrip(b"\0"))
        for size in [0, 1, 511, 512, 1024, end - 1, *(chance.randrange(end) for _ in range(50))]:
            small.write_bytes(whole[:size])
            with pytest.raises((BackupDamaged, NoBackup)):
                check(small)

    def test_a_damaged_one_is_not_restored(self, small: Path, alice: User, bob: User):
        whole = small.read_bytes()
        place = whole.index(b"\x28\xb5\x2f\xfd") + 20
        small.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        before = figures(alice)
        with pytest.raises(CommandError, match=r"files/.* is not as it was written"):
            run("restore", small, "--replace")
        with pytest.raises(CommandError, match="is damaged"):
            run("verify", small)
        assert figures(alice) == before

    def test_a_list_of_checksums_that_was_changed(self, small: Path):
        whole = small.read_bytes()
        member = next(member for member in ArchiveReader(small).members("files/"))
        sha256 = whole.index(b"  " + member.name.encode()) - 64
        small.write_bytes(whole[:sha256] + b"0" * 64 + whole[sha256 + 64 :])
        with pytest.raises(BackupDamaged, match="lists of checksums"):
            check(small)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda it: it.tables.pop("usage_events"), "not have as many rows"),
            (lambda it: setattr(it.tables["usage_events"], "rows", 1), "not have as many rows"),
            (lambda it: setattr(it, "files", 7), "not as many stored files"),
        ],
    )
    def test_counts_that_are_not_those_of_the_manifest(self, small: Path, change: Change, reason: str):
        with pytest.raises(BackupDamaged, match=reason):
            check(changed(small, change))

    @pytest.mark.parametrize("key", ["token_pepper", "../outside", "/outside", "store/../token_pepper", ""])
    def test_files_that_belong_nowhere(self, small: Path, key: str, settings: Any):
        """A file that was made to overwrite something else."""
        reader = ArchiveReader(small)
        other = small.with_name("other.tar")
        manifest = reader.manifest()
        manifest.files, manifest.file_bytes = manifest.files + 1, manifest.file_bytes + 1
        with written(other, reader.head) as archive:
            archive.add_bytes(f"files/{key}", b"x")
            for member in islice(reader.members(), 1, None):
                archive.add(member.name, member.stream, member.size)  # type: ignore[arg-type]
            archive.finish(manifest)
        before = {path for path in settings.DATA_DIR.rglob("*") if path.is_file()}
        with pytest.raises(CommandError, match="is no stored file"):
            run("restore", other, "--replace")
        assert before == {path for path in settings.DATA_DIR.rglob("*") if path.is_file()}


class TestOtherFiles:
    @pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 10_240], ids=["empty", "text", "empty tar"])
    def test_no_backup(self, content: bytes, db: None, tmp_path: Path):
        path = tmp_path / "file"
        path.write_bytes(content)
        with pytest.raises(CommandError, match="is no backup of Agnes"):
            run("restore", path)

    def test_nothing_there(self, db: None, tmp_path: Path):
        with pytest.raises(CommandError, match=r"is no backup of Agnes: No such file or directory"):
            run("verify", tmp_path / "missing")
        with pytest.raises(CommandError, match=r"is no backup of Agnes: Is a directory"):
            run("verify", tmp_path)


class TestNewerOnes:
    def test_another_format(self, small: Path):
        head = msgspec.structs.replace(ArchiveReader(small).head, format=2)
        with pytest.raises(BackupTooNew, match="format 2"):
            check(changed(small, lambda it: None, head))

    def test_a_migration_that_is_not_known(self, small: Path, alice: User):
        newer = changed(small, lambda it: it.migrations["telemetry"].append("9999_moons"))
        before = figures(alice)
        with pytest.raises(CommandError, match=r"newer version .* telemetry\.9999_moons.*Update Agnes"):
            run("restore", newer, "--replace")
        assert figures(alice) == before


class TestTheInstallation:
    def test_it_must_be_empty(self, small: Path):
        with pytest.raises(CommandError, match=r"not empty: it has 1 people, 1 transcripts.*--replace"):
            run("restore", small)

    def test_it_must_be_stopped(self, small: Path):
        worker_heartbeat.beat("cluster")
        with pytest.raises(CommandError, match=r"Stop Agnes .* wait a minute and a half"):
            run("restore", small, "--replace")

    def test_an_older_one_is_not_backed_up(self, db: None, file: Path):
        MigrationRecorder(connection).record_unapplied("telemetry", "0009_maintenance")
        try:
            with pytest.raises(MigrationsWait):
                make_backup(file)
        finally:
            MigrationRecorder(connection).record_applied("telemetry", "0009_maintenance")

    @pytest.mark.parametrize("stage", ["empty_tables", "totals_of"])
    def test_what_fails_in_the_middle_changes_nothing(
        self, stage: str, world: str, file: Path, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
    ):
        run("backup", file)
        ruin(bob)
        before = figures(alice)
        files = stored_files()
        assert any(there is None for there in before.values())
        real = getattr(restoring, stage)

        def fail() -> Any:
            real()
            raise KeyboardInterrupt if stage == "empty_tables" else OSError(28, "No space left on device")

        monkeypatch.setattr(restoring, stage, fail)
        with pytest.raises(CommandError, match="othing has changed"):
            run("restore", file, "--replace")
        # Lost files may have come back, as good as they were.
        assert {name: it for name, it in figures(alice).items() if before[name]} == {
            name: it for name, it in before.items() if it
        }
        assert stored_files() - files <= {name for name, it in before.items() if it is None}

    def test_other_totals_are_refused(self, small: Path, alice: User):
        wrong = changed(small, lambda it: it.totals.update(events=77))
        before = figures(alice)
        with pytest.raises(CommandError, match=r"it would have 2 events instead of 77.*Nothing has changed"):
            run("restore", wrong, "--replace")
        assert figures(alice) == before

    def test_a_row_that_the_database_refuses(self, small: Path, alice: User, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(
            "agnes.backup.loading.Chunk.load",
            lambda chunk: User.objects.bulk_create([User(email="x@x.x"), User(email="x@x.x")]) and 0,
        )
        before = figures(alice)
        with pytest.raises(CommandError, match=r"IntegrityError.*Nothing has changed"):
            run("restore", small, "--replace")
        assert figures(alice) == before
        with pytest.raises(InstallationNotEmpty):
            restoring.restore(small)


def stored_files() -> set[str]:
    folders = [f"transcripts/{pk}" for pk in User.objects.values_list("pk", flat=True)] + ["store"]
    there = [folder for folder in folders if default_storage.exists(folder)]
    return {f"{folder}/{name}" for folder in there for name in default_storage.listdir(folder)[1]} | {
        file.key for file in named_files() if default_storage.exists(file.key)
    }
