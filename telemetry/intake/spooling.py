"""Raw bytes on their way: counted, hashed, and compressed into a temporary file."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard
from django.conf import settings
from django.core.files.storage import default_storage

from telemetry.errors import UploadTooLarge
from telemetry.files.spool import UPLOAD_SUFFIX, spooled_file
from telemetry.files.storage import CHUNK_BYTES, FileOnDisk, read_stored

COMPRESSION_LEVEL = 3


class Spool:
    """One upload's file. First it lies in the spool folder, after `save_as` in the storage."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved_as: str | None = None
        self.raw_bytes = 0
        self.stored_bytes = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, while they go to the file. Raises UploadTooLarge."""
        compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True)
        with self.path.open("wb") as file, compressor.stream_writer(file) as compressed:
            for chunk in chunks:
                self.raw_bytes += len(chunk)
                if self.raw_bytes > settings.UPLOAD_MAX_TRANSCRIPT_BYTES:
                    raise UploadTooLarge(
                        "The transcript", settings.UPLOAD_MAX_TRANSCRIPT_BYTES, "UPLOAD_MAX_TRANSCRIPT_BYTES"
                    )
                self._digest.update(chunk)
                compressed.write(chunk)
                yield chunk
        self.stored_bytes = self.path.stat().st_size

    def save_as(self, key: str) -> None:
        """Hand the file over to the storage; once."""
        if self.saved_as is None:
            with self.path.open("rb") as file:
                default_storage.save(key, FileOnDisk(file, name=str(self.path)))
            self.saved_as = key

    def prefix_hashes(self, sizes: Iterable[int]) -> dict[int, str]:
        """For each size the SHA-256 of the first so many raw bytes, from one pass."""
        return prefix_hashes(self.read(), sizes)

    def read(self) -> Iterator[bytes]:
        """The raw bytes, wherever they are by now."""
        if self.saved_as is not None:
            yield from read_stored(self.saved_as)
            return
        with self.path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
            while chunk := raw.read(CHUNK_BYTES):
                yield chunk


@contextmanager
def spool() -> Iterator[Spool]:
    """A temporary file that is gone afterwards, unless the storage has taken it."""
    with spooled_file(UPLOAD_SUFFIX) as path:
        yield Spool(path)


def prefix_hashes(chunks: Iterable[bytes], sizes: Iterable[int]) -> dict[int, str]:
    """For each size the SHA-256 of the first so many bytes; sizes beyond the end are left out."""
    waiting = sorted(set(sizes), reverse=True)
    hashes: dict[int, str] = {}
    digest = hashlib.sha256()
    position = 0
    for chunk in chunks:
        while waiting and waiting[-1] <= position + len(chunk):
            size = waiting.pop()
            prefix = digest.copy()
            prefix.update(chunk[: size - position])
            hashes[size] = prefix.hexdigest()
        if not waiting:
            break
        digest.update(chunk)
        position += len(chunk)
    return hashes
