"""What every removal does: the rows of some transcripts, in the caller's transaction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db import models

from telemetry.database.bulk import IN_LIMIT
from telemetry.dirty_days import mark_dirty, stored_days
from telemetry.maintenance.doomed_files import doom
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    SessionTranscriptPart,
    UsageEvent,
    UsageMessage,
    UsageSessionItem,
    UsageSessionSummary,
    VerificationFinding,
)
from telemetry.processors import usage

# What the processor `usage` writes of a transcript, by the name that people are told.
EXTRACTED: dict[str, type[models.Model]] = {
    "events": UsageEvent,
    "messages": UsageMessage,
    "summaries": UsageSessionSummary,
    "items": UsageSessionItem,
}
Counts = Counter[str]
Value = TypeVar("Value")


def remove_extracted(session_files: Sequence[str], *, purge: bool = False) -> Counts:
    """All rows that were extracted of these transcripts, which are pending again, with the marks of their
    days; how many of what. `purge` as in `mark_dirty`."""
    removed: Counts = Counter()
    for some in _cut(session_files):
        mark_dirty(stored_days(session_file__in=some), purge=purge)
        for name, model in EXTRACTED.items():
            removed[name] += deleted(model._default_manager.filter(session_file__in=some))
        states = SessionProcessorState.objects.filter(processor_name=usage.NAME, session_file__in=some)
        removed["states"] += deleted(states)
    return removed


def remove_transcripts(transcripts: Sequence[SessionTranscript], *, purge: bool) -> Counts:
    """Transcripts and all that there is of them; `doomed_files.delete_doomed` then deletes their files."""
    session_files = [transcript.session_file for transcript in transcripts]
    ids = [transcript.pk for transcript in transcripts]
    removed = remove_extracted(session_files, purge=purge)
    for some in _cut(ids):
        parts = SessionTranscriptPart.objects.filter(transcript__in=some).select_related("transcript")
        doom(part.storage_key for part in parts.defer("fingerprint").iterator())
    for files in _cut(session_files):
        SessionProcessorState.objects.filter(session_file__in=files).delete()
        VerificationFinding.objects.filter(session_file__in=files).delete()
    for some in _cut(ids):
        # By the ORM, row by row: their indexes in the spool folder go with them.
        SessionTranscript.objects.filter(pk__in=some).delete()
    removed["transcripts"] = len(ids)
    return removed


def deleted(rows: "models.QuerySet[Any]") -> int:
    """How many rows this removed; they have none that depend on them."""
    count, _ = rows.order_by().delete()
    return count


def _cut(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(values), IN_LIMIT):
        yield values[start : start + IN_LIMIT]
