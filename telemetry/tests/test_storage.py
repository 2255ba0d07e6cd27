"""What was answered survives a power cut: files and folders are synced in the right order."""

import os
from pathlib import Path
from typing import IO, Any, cast

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from accounts.models import User
from telemetry.intake import storing
from telemetry.models import SessionTranscriptPart
from telemetry.tests.figures import upload
from telemetry.tests.processing.test_runner import session

Step = tuple[str, ...]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, own_data_folder: Path) -> list[Step]:
    """What is synced and renamed, in order. Whatever is not at its place yet is called `temporary`."""
    recorded: list[Step] = []
    fsync, replace, write = os.fsync, os.replace, storing._write

    def name_of(path: str | Path) -> str:
        path = Path(path)
        is_temporary = path.is_file() and "transcripts" not in str(path)
        return "temporary" if is_temporary else str(path.relative_to(own_data_folder))

    def record_fsync(descriptor: int) -> None:
        recorded.append(("sync", name_of(Path(f"/proc/self/fd/{descriptor}").resolve())))
        fsync(descriptor)

    def record_replace(source: str | Path, target: str | Path) -> None:
        recorded.append(("rename", name_of(source), str(Path(target).relative_to(own_data_folder))))
        replace(source, target)

    def record_write(*args: Any) -> Any:
        recorded.append(("commit",))
        return write(*args)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    monkeypatch.setattr(storing, "_write", record_write)
    return recorded


@pytest.mark.django_db
def test_an_upload_is_on_disk_before_its_row_is_written(bob: User, steps: list[Step]) -> None:
    upload(bob, session("s1"))
    folder = f"transcripts/{bob.pk}"
    first = SessionTranscriptPart.objects.get().storage_key
    arrival = [("sync", "temporary"), ("rename", "temporary", first), ("sync", folder), ("commit",)]
    new_folders, rest = steps[:2], steps[2:]
    assert set(new_folders) == {("sync", "."), ("sync", "transcripts")}
    assert rest == arrival

    steps.clear()
    upload(bob, session("s2"))
    second = SessionTranscriptPart.objects.get(transcript__session_id="s2").storage_key
    assert steps == [("sync", "temporary"), ("rename", "temporary", second), ("sync", folder), ("commit",)]


def test_what_is_not_on_disk_yet_is_written_beside_and_synced_too(
    steps: list[Step], own_data_folder: Path
) -> None:
    (own_data_folder / "kept").mkdir()
    default_storage.save("kept/name", ContentFile(b"content"))
    sync, rename, sync_folder = steps
    assert sync == ("sync", rename[1])
    assert rename[2] == "kept/name"
    assert sync_folder == ("sync", "kept")
    assert (own_data_folder / "kept/name").read_bytes() == b"content"
    assert [path.name for path in (own_data_folder / "kept").iterdir()] == ["name"]


def test_what_cannot_be_written_leaves_nothing(own_data_folder: Path) -> None:
    class Broken:
        def __init__(self) -> None:
            self.pieces = iter([b"begun"])

        def read(self, size: int) -> bytes:
            if piece := next(self.pieces, None):
                return piece
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        default_storage.save("transcripts/1/x.jsonl.zst", File(cast(IO[bytes], Broken()), name="x"))
    assert not [path for path in own_data_folder.rglob("*") if path.is_file() and path.name.startswith(".")]
    assert not default_storage.exists("transcripts/1/x.jsonl.zst")
