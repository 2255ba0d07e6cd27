"""Files of transcripts that are older than their retention; what was extracted of them stays."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from telemetry.maintenance.doomed_files import delete_doomed, doom
from telemetry.maintenance.old_rows import Note
from telemetry.models import SessionProcessorState, SessionTranscript, SessionTranscriptPart
from telemetry.models.transcripts import SessionTranscriptQuerySet
from telemetry.processors.registry import PROCESSORS
from telemetry.viewing.index_files import remove_indexes

BATCH = 100


def old(before: date) -> SessionTranscriptQuerySet:
    """Those whose last record is from before this day, and that every processor has done: what waits, or was
    given up, is read again, and its figures would be lost with it."""
    return _aged(before).filter(*(Exists(_done(name)) for name in PROCESSORS))


def waiting(before: date) -> int:
    """How many are old enough, and not done."""
    return _aged(before).count() - old(before).count()


def remove(before: date, *, note: Note) -> Iterator[int]:
    """In batches; yields after each how many there were."""
    while True:
        with transaction.atomic():
            ids = list(old(before).order_by("pk").values_list("pk", flat=True)[:BATCH])
            removed = _remove(ids, before)
            if removed:
                note(Counter(transcripts=removed))
        delete_doomed()
        yield removed
        if len(ids) < BATCH:
            return


def _remove(ids: list[int], before: date) -> int:
    """Looked at once more under lock: one of them may have grown."""
    locked = SessionTranscript.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    found = [it.pk for it in locked]
    still = list(old(before).filter(pk__in=found).values_list("pk", flat=True))
    parts = SessionTranscriptPart.objects.stored().filter(transcript__in=still).select_related("transcript")
    doom(part.storage_key for part in parts.defer("fingerprint"))
    for pk in still:
        transaction.on_commit(partial(remove_indexes, pk))
    return SessionTranscript.objects.filter(pk__in=still).update(content_removed_at=timezone.now())


def _aged(before: date) -> SessionTranscriptQuerySet:
    moment = datetime(before.year, before.month, before.day, tzinfo=UTC)
    return SessionTranscript.objects.readable().filter(
        Q(last_at__lt=moment) | Q(last_at=None, received_at__lt=moment)
    )


def _done(processor_name: str) -> QuerySet[SessionProcessorState]:
    return SessionProcessorState.objects.filter(
        processor_name=processor_name,
        processed_at__isnull=False,
        session_file=OuterRef("session_file"),
        revision=OuterRef("revision"),
    )
