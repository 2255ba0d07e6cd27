"""What a processor is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from accounts.models import User
from telemetry.files.storage import read_whole
from telemetry.models import SessionTranscript, storage_key
from telemetry.processors.library import Batch, KnownTranscript


@dataclass(frozen=True)
class Job:
    """One transcript to be processed, with what is known of its owner's other transcripts.

    `keep_alive` renews the worker's claim when it is time.
    """

    owner: User
    transcript: SessionTranscript
    known: KnownTranscript
    batch: Batch
    keep_alive: Callable[[], None]

    def open_parts(self) -> list[Iterator[bytes]]:
        """The raw bytes of each part, in reading order, in chunks. Reading them keeps the claim alive."""
        return [self._read(sha256) for sha256 in self.known.parts]

    def _read(self, sha256: str) -> Iterator[bytes]:
        key = storage_key(self.owner.pk, sha256)
        for chunk in read_whole(key, sha256, self.known.raw_bytes[sha256]):
            self.keep_alive()
            yield chunk


class Result(Protocol):
    """What a processor made of a transcript, not yet written."""

    @property
    def items(self) -> int:
        """How many things were extracted."""

    def write(self) -> None:
        """Replace what the database holds of the transcript. Runs inside a transaction and must be short."""


@dataclass(frozen=True)
class Processor:
    """`extract` reads and computes, and writes nothing. Raise `version` when its results change."""

    name: str
    version: int
    extract: Callable[[Job], Result]
