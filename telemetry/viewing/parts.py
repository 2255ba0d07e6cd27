"""The stored files that a transcript is made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.errors import StoredFileRemoved
from telemetry.files.storage import read_whole
from telemetry.models import SessionTranscript


@dataclass(frozen=True)
class StoredPart:
    key: str
    sha256: str
    raw_bytes: int
    is_removed: bool = False

    def read(self) -> Iterator[bytes]:
        """The raw bytes, in chunks. Raises StoredFileDamaged."""
        if self.is_removed:
            raise StoredFileRemoved
        return read_whole(self.key, self.sha256, self.raw_bytes)


def parts_of(transcript: SessionTranscript) -> list[StoredPart]:
    """The parts that count, in reading order."""
    parts = transcript.parts.live().select_related("transcript").defer("fingerprint")
    is_removed = transcript.content_removed_at is not None
    return [StoredPart(part.storage_key, part.sha256, part.raw_bytes, is_removed) for part in parts]
