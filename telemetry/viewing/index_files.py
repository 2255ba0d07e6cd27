"""Indexes of transcripts, kept in the spool folder: made when needed, and gone within a day.

Whoever deletes transcripts calls nothing here: a signal removes their indexes, and on other machines, or
after a deletion in SQL, `spool.remove_leftovers` does within a day.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete

from telemetry.files.spool import INDEX_PREFIX
from telemetry.models import SessionTranscript
from telemetry.viewing.index import INDEX_VERSION, Index, IndexLost, IndexWriter
from telemetry.viewing.indexing import make_index
from telemetry.viewing.parts import StoredPart

SUFFIX = ".sqlite3"


@contextmanager
def open_index(transcript: SessionTranscript, parts: list[StoredPart]) -> Iterator[Index]:
    """The index of a transcript's revision. Raises StoredFileDamaged where it must be made and cannot be,
    and SessionTranscript.DoesNotExist where the transcript was deleted meanwhile."""
    path = _path(transcript)
    try:
        index = Index(path)
    except IndexLost:
        _make(transcript, parts, path)
        index = Index(path)
    with index:
        yield index


def _path(transcript: SessionTranscript) -> Path:
    name = f"{INDEX_PREFIX}{transcript.pk}-{transcript.revision}-v{INDEX_VERSION}{SUFFIX}"
    return Path(settings.SPOOL_DIR, name)


def _make(transcript: SessionTranscript, parts: list[StoredPart], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_indexes(transcript.pk)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=INDEX_PREFIX, delete=False) as file:
        made = Path(file.name)
    try:
        _write(transcript, parts, made)
        os.replace(made, path)
    finally:
        made.unlink(missing_ok=True)
    if not SessionTranscript.objects.filter(pk=transcript.pk).exists():
        # It was deleted while it was read, perhaps before there was an index to remove.
        remove_indexes(transcript.pk)
        raise SessionTranscript.DoesNotExist


def _write(transcript: SessionTranscript, parts: list[StoredPart], path: Path) -> None:
    first, last = transcript.first_at, transcript.last_at
    span = (int(first.timestamp() * 1000), int(last.timestamp() * 1000)) if first and last else None
    writer = IndexWriter(path)
    try:
        make_index(writer, [part.read() for part in parts], agent_id=transcript.agent_id, span=span)
    finally:
        writer.close()


def remove_indexes(transcript_id: int) -> None:
    """Remove the indexes of all revisions of a transcript."""
    for path in Path(settings.SPOOL_DIR).glob(f"{INDEX_PREFIX}{transcript_id}-*{SUFFIX}"):
        path.unlink(missing_ok=True)


def remove_all_indexes() -> None:
    """Of this machine. Where transcripts are replaced by others, those of before would seem to be theirs."""
    for path in Path(settings.SPOOL_DIR).glob(f"{INDEX_PREFIX}*{SUFFIX}"):
        path.unlink(missing_ok=True)


def connect() -> None:
    """From now on an index goes with its transcript."""
    post_delete.connect(_remove_with_transcript, sender=SessionTranscript, dispatch_uid="viewing.indexes")


def _remove_with_transcript(sender: Any, instance: SessionTranscript, **more: Any) -> None:
    transcript_id = instance.pk
    # Only then: until the commit others see the transcript, and would make its index anew.
    transaction.on_commit(lambda: remove_indexes(transcript_id))
