"""Copies of withheld records in stored files: each file is replaced by what an upload of it leaves."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from telemetry.errors import StoredFileDamaged
from telemetry.files.storage import read_whole
from telemetry.intake.spooling import Spool, spool
from telemetry.maintenance.doomed_files import doom
from telemetry.maintenance.removing import remove_transcripts
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.processors import wakeup
from telemetry.processors.claims import take_person_from_workers
from telemetry.transcripts.fingerprints import Fingerprint
from telemetry.transcripts.redacting import without_records
from telemetry.transcripts.scanning import NotATranscript, Scan, scan
from telemetry.transcripts.values import from_ms
from telemetry.viewing.index_files import remove_indexes
from telemetry.withheld import Withheld


def remove_copies_from_files(withheld: Withheld, **of: Any) -> bool:
    """From all that is stored of the person, or of those transcripts that have these values, such as
    session_id. False where the storage did not answer. Not to be called in a transaction."""
    # All of them, whether or not one fails.
    cleaned = [_clean(part, withheld) for part in _parts_with_copies(withheld, of)]
    return all(cleaned)


def _parts_with_copies(withheld: Withheld, of: dict[str, Any]) -> Iterator[SessionTranscriptPart]:
    if not withheld.hashes:
        return
    transcripts = SessionTranscript.objects.of(withheld.user_id).readable().filter(**of)
    live = SessionTranscriptPart.objects.stored().filter(transcript__in=transcripts)
    found = [
        pk
        for pk, fingerprint in live.values_list("pk", "fingerprint").iterator()
        if withheld.is_in(Fingerprint.from_bytes(bytes(fingerprint)))
    ]
    for pk in found:
        if part := live.filter(pk=pk).select_related("transcript").first():
            yield part


def _clean(part: SessionTranscriptPart, withheld: Withheld) -> bool:
    with spool() as spooled:
        try:
            found = _scanned(part, spooled, withheld)
        except OSError:
            return False
        with transaction.atomic(durable=True):
            _replace(part, spooled, found)
    remove_indexes(part.transcript_id)
    return True


def _scanned(part: SessionTranscriptPart, spooled: Spool, withheld: Withheld) -> Scan | None:
    """What is left of it in the spool; None where nothing is, or where what is stored cannot be read."""
    raw = read_whole(part.storage_key, part.sha256, part.raw_bytes)
    try:
        return scan(spooled.passing(without_records(raw, withheld.hashes)))
    except (NotATranscript, StoredFileDamaged):
        return None


def _replace(part: SessionTranscriptPart, spooled: Spool, found: Scan | None) -> None:
    """Unless an upload replaced it meanwhile, which was cleaned before it was stored."""
    take_person_from_workers(part.transcript.owner_id)
    User.objects.select_for_update(no_key=True).get(pk=part.transcript.owner_id)
    transcript = SessionTranscript.objects.select_for_update().filter(pk=part.transcript_id).first()
    same = SessionTranscriptPart.objects.filter(pk=part.pk, sha256=part.sha256, superseded=False)
    if transcript is None or not same.exists():
        return
    doom([part.storage_key])
    if found is None:
        part.delete()
    else:
        # What is left may be what another part is: one row for both.
        transcript.parts.filter(sha256=spooled.sha256).delete()
        _keep(part, transcript, spooled, found)
    if not transcript.parts.live().exists():
        remove_transcripts([transcript], purge=True)
        return
    transcript.revision += 1
    transcript.is_unsettled = True
    transcript.updated_at = timezone.now()
    transcript.save()
    wakeup.request_runs()


def _keep(part: SessionTranscriptPart, transcript: SessionTranscript, spooled: Spool, found: Scan) -> None:
    """What is left takes the part's place, with the times that it has by itself."""
    part.sha256, part.raw_bytes, part.stored_bytes = spooled.sha256, spooled.raw_bytes, spooled.stored_bytes
    part.fingerprint, part.first_at = bytes(found.fingerprint), from_ms(found.first_ms)
    spooled.save_as(part.storage_key)
    part.save()
    transcript.first_at = min(
        (at for at in transcript.parts.live().values_list("first_at", flat=True) if at), default=None
    )
    if transcript.parts.live().count() == 1:
        transcript.last_at = from_ms(found.last_ms)
