"""Where transcripts lie: compressed, in Django's default storage (the embedded server's is a folder)."""

import os
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import zstandard
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage

from telemetry.errors import StoredFileDamaged

# So much of a file is held at a time, wherever one is read.
CHUNK_BYTES = 256 * 1024


class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and survive a power cut once `save` has returned.

    A file that lies on disk already (`temporary_file_path`) is moved, not copied.
    """

    def _save(self, name: str, content: "File[Any]") -> str:
        target = Path(self.path(name))
        missing = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            sync(folder.parent)
        source = _on_disk(content, beside=target)
        sync(source)
        os.replace(source, target)
        sync(target.parent)
        return name


class FileOnDisk(File):  # type: ignore[type-arg]
    """The embedded storage moves a file that has this method, instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def _on_disk(content: "File[Any] | IO[Any]", *, beside: Path) -> Path:
    if hasattr(content, "temporary_file_path"):
        return Path(content.temporary_file_path())
    with tempfile.NamedTemporaryFile(dir=beside.parent, prefix=".", delete=False) as written:
        try:
            for chunk in File(content).chunks():
                written.write(chunk)
            written.flush()
        except BaseException:
            os.unlink(written.name)
            raise
    return Path(written.name)


def sync(path: Path) -> None:
    """A file, or the names in a folder, are on disk once this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stored_size(key: str) -> int | None:
    """How many bytes a stored file has as it is stored; None where it is missing."""
    return default_storage.size(key) if default_storage.exists(key) else None


def remove_empty_folder(folder: str) -> None:
    """Other storages than the embedded server's have no empty folders."""
    if default_storage.exists(folder) and default_storage.listdir(folder) == ([], []):
        default_storage.delete(folder)


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks. The first is read, so that a file that cannot be read at all is known by now."""
    first = next(chunks, b"")
    return chain([first], chunks)


def read_stored(key: str) -> Iterator[bytes]:
    """The raw bytes of a stored transcript file, in chunks, decompressed on the fly."""
    with default_storage.open(key) as stored, zstandard.ZstdDecompressor().stream_reader(stored) as raw:
        while chunk := raw.read(CHUNK_BYTES):
            yield chunk


def read_whole(key: str, sha256: str, raw_bytes: int) -> Iterator[bytes]:
    """The same of the file of a part. Raises StoredFileDamaged where not all `raw_bytes` come."""
    left = raw_bytes
    try:
        for chunk in read_stored(key):
            left -= len(chunk)
            yield chunk
    except FileNotFoundError as error:
        raise StoredFileDamaged(sha256, "is missing") from error
    except zstandard.ZstdError as error:
        raise StoredFileDamaged(sha256, "is damaged") from error
    if left:
        # Inflating a file that was cut short ends early, and without an error.
        raise StoredFileDamaged(sha256, f"lacks {left} of its bytes")
