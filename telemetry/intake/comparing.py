"""What an upload is to the parts of its transcript that are stored already (docs/COUNTING.md section 3)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import zstandard
from django.db import models

from telemetry.errors import StoredFileLost, TranscriptChanged
from telemetry.files.storage import read_stored, stored_size
from telemetry.intake.spooling import Spool, prefix_hashes
from telemetry.models import SessionTranscriptPart, storage_key

log = logging.getLogger(__name__)


class Status(models.TextChoices):
    """What became of an upload."""

    NEW = "new"
    GROWN = "grown"
    DIVERGED = "diverged"
    SAME = "same"
    SHORTER = "shorter"
    SUPERSEDED = "superseded"

    @property
    def is_stored(self) -> bool:
        """The others change nothing."""
        return self in (Status.NEW, Status.GROWN, Status.DIVERGED)


@dataclass(frozen=True)
class Comparison:
    """`supersedes` are the live parts that are the beginning of the upload; `restores` is the part that has
    the same bytes where its stored file is missing or damaged."""

    status: Status
    supersedes: tuple[SessionTranscriptPart, ...] = ()
    restores: SessionTranscriptPart | None = None


def compare(
    upload: Spool, parts: Sequence[SessionTranscriptPart], *, user_id: int, is_removed: bool = False
) -> Comparison:
    """Raises TranscriptChanged where a part is superseded, and so its file deleted, in this moment, and
    StoredFileLost where a longer part's file cannot be read.

    `is_removed`: retention removed the files. Then only what goes on from all of them is taken.
    """
    if is_removed:
        return _compare_with_removed(upload, parts)
    for part in parts:
        if part.sha256 == upload.sha256:
            return _same_bytes(part, user_id)
    live = [part for part in parts if not part.superseded]
    if any(_is_beginning(upload, part, user_id) for part in live):
        return Comparison(Status.SHORTER)
    supersedes = _beginnings(upload, live)
    if not live:
        return Comparison(Status.NEW)
    status = Status.GROWN if len(supersedes) == len(live) else Status.DIVERGED
    return Comparison(status, supersedes)


def _compare_with_removed(upload: Spool, parts: Sequence[SessionTranscriptPart]) -> Comparison:
    for part in parts:
        if part.sha256 == upload.sha256:
            return Comparison(Status.SUPERSEDED if part.superseded else Status.SAME)
    live = [part for part in parts if not part.superseded]
    supersedes = _beginnings(upload, live)
    goes_on = len(supersedes) == len(live)
    return Comparison(Status.GROWN, supersedes) if goes_on else Comparison(Status.SHORTER)


def _same_bytes(part: SessionTranscriptPart, user_id: int) -> Comparison:
    if part.superseded:
        return Comparison(Status.SUPERSEDED)
    is_whole = stored_size(storage_key(user_id, part.sha256)) == part.stored_bytes
    return Comparison(Status.SAME, restores=None if is_whole else part)


def _is_beginning(upload: Spool, part: SessionTranscriptPart, user_id: int) -> bool:
    """Whether the upload is the beginning of a stored part."""
    size = upload.raw_bytes
    if part.raw_bytes <= size:
        return False
    key = storage_key(user_id, part.sha256)
    try:
        return prefix_hashes(read_stored(key), [size])[size] == upload.sha256
    except (FileNotFoundError, KeyError, zstandard.ZstdError) as error:
        # A part's row says that it is superseded before its file is deleted.
        if not SessionTranscriptPart.objects.filter(pk=part.pk, superseded=False).exists():
            raise TranscriptChanged("A part of the transcript was superseded meanwhile.") from error
        log.error("%s is missing or damaged: restore it from a backup.", key)
        raise StoredFileLost(key) from error


def _beginnings(upload: Spool, live: Sequence[SessionTranscriptPart]) -> tuple[SessionTranscriptPart, ...]:
    """The stored parts that are the beginning of the upload."""
    shorter = [part for part in live if part.raw_bytes < upload.raw_bytes]
    if not shorter:
        return ()
    hashes = upload.prefix_hashes(part.raw_bytes for part in shorter)
    return tuple(part for part in shorter if hashes.get(part.raw_bytes) == part.sha256)
