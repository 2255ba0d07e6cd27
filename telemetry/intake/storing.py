"""The one door through which transcripts come in: API, commands, demo and tests call `store_transcript`."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from telemetry.errors import SessionFileTaken, TranscriptChanged, TranscriptRefused, UploadBusy
from telemetry.intake import names
from telemetry.intake.comparing import Comparison, Status, compare
from telemetry.intake.inflating import inflate
from telemetry.intake.spooling import Spool, spool
from telemetry.models import SessionTranscript, SessionTranscriptPart, storage_key
from telemetry.processors import wakeup
from telemetry.processors.attempts import give_new_attempts
from telemetry.transcripts.scanning import NotATranscript, Scan, scan
from telemetry.transcripts.values import clean, from_ms

log = logging.getLogger(__name__)

# So often what is stored may change under an upload that is being compared with it.
TRIES = 10


@dataclass(frozen=True)
class StoredTranscript:
    status: Status
    transcript: SessionTranscript
    warnings: list[str]


def store_transcript(
    owner: User, chunks: Iterable[bytes], *, encoding: str = "identity", uploaded_name: str | None = None
) -> StoredTranscript:
    """Store one transcript file; which session it is comes from its content, `uploaded_name` is a hint.

    When this returns, everything is on disk. Where it raises (TranscriptRefused, SessionFileTaken,
    UploadTooLarge, UploadCorrupt, EncodingUnsupported, UploadBusy, StoredFileLost, or what `chunks` raises),
    nothing has changed. It opens a transaction of its own, so it must not be called inside one.
    """
    with spool() as spooled:
        found = _scan(spooled.passing(inflate(chunks, encoding)))
        upload = _Upload(owner, spooled, found, clean(uploaded_name) or None)
        comparison, transcript = _store(upload)
    return StoredTranscript(comparison.status, transcript, _warnings(upload, comparison, uploaded_name))


@dataclass(frozen=True)
class _Upload:
    owner: User
    spool: Spool
    scan: Scan
    name: str | None

    @property
    def storage_key(self) -> str:
        return storage_key(self.owner.pk, self.spool.sha256)


@dataclass(frozen=True)
class _Known:
    """What is stored of the upload's transcript. `transcript` None: nothing."""

    transcript: SessionTranscript | None
    parts: list[SessionTranscriptPart]


def _scan(chunks: Iterable[bytes]) -> Scan:
    try:
        return scan(chunks)
    except NotATranscript as error:
        raise TranscriptRefused(str(error), error.line) from error


def _store(upload: _Upload) -> tuple[Comparison, SessionTranscript]:
    stored = False
    try:
        for _ in range(TRIES):
            try:
                comparison, transcript = _compare_and_write(upload)
            except TranscriptChanged:
                continue
            stored = comparison.status.is_stored
            return comparison, transcript
        raise UploadBusy(
            "Other uploads of the same session kept changing it.",
            "Send it again in a moment; if this goes on, tell an operator.",
        )
    finally:
        if upload.spool.saved_as and not stored:
            _remove_unused_file(upload)


def _compare_and_write(upload: _Upload) -> tuple[Comparison, SessionTranscript]:
    """Comparing reads files, so it happens before the transaction, which checks that it still holds."""
    known = _look_up(upload)
    comparison = compare(upload.spool, known.parts, user_id=upload.owner.pk)
    if known.transcript and not comparison.status.is_stored:
        if comparison.restores:
            _restore(upload, known.transcript, comparison.restores)
        return comparison, known.transcript
    upload.spool.save_as(upload.storage_key)
    transcript = _write(upload, known, comparison)
    for part in comparison.supersedes:
        _delete_file(storage_key(upload.owner.pk, part.sha256))
    return comparison, transcript


def _look_up(upload: _Upload) -> _Known:
    transcript = SessionTranscript.objects.filter(
        owner=upload.owner, session_id=upload.scan.session_id, agent_id=upload.scan.agent_id
    ).first()
    if transcript is None:
        return _Known(None, [])
    return _Known(transcript, list(transcript.parts.defer("fingerprint")))


def _write(upload: _Upload, known: _Known, comparison: Comparison) -> SessionTranscript:
    with transaction.atomic(durable=True):
        _lock_person(upload.owner)
        transcript = _change(upload, known.transcript) if known.transcript else _create(upload)
        _add_part(upload, transcript, comparison)
        audit.record(
            "session.upload",
            target=transcript.session_file,
            actor=upload.owner,
            params={
                "status": comparison.status.value,
                "bytes": upload.spool.raw_bytes,
                "revision": transcript.revision,
            },
        )
        wakeup.request_runs()
    return transcript


def _restore(upload: _Upload, transcript: SessionTranscript, part: SessionTranscriptPart) -> None:
    """Put the bytes back that the storage has lost; what failed without them is tried again."""
    upload.spool.save_as(upload.storage_key)
    with transaction.atomic(durable=True):
        _lock_person(upload.owner)
        live = SessionTranscriptPart.objects.filter(pk=part.pk, superseded=False)
        if not live.update(stored_bytes=upload.spool.stored_bytes):
            raise TranscriptChanged("The part was superseded by another upload.")
        _require_file(upload)
        give_new_attempts(transcript)
        audit.record(
            "session.restore",
            target=transcript.session_file,
            actor=upload.owner,
            params={"bytes": upload.spool.raw_bytes},
        )
        wakeup.request_runs()
    log.warning("%s was missing or damaged, and was restored from an upload.", upload.storage_key)


def _lock_person(owner: User) -> None:
    """One upload of a person writes at a time: so a row that is not there yet cannot appear meanwhile, and
    a file is not removed while another upload of the same bytes relies on it."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)


def _create(upload: _Upload) -> SessionTranscript:
    owner, found, now = upload.owner, upload.scan, timezone.now()
    session_file = names.session_file_of(owner.pk, found.session_id, found.agent_id)
    there = SessionTranscript.objects.filter(session_file=session_file).first()
    if there and (there.session_id, there.agent_id) == (found.session_id, found.agent_id):
        raise TranscriptChanged("The transcript was stored by another upload.")
    if there:
        raise SessionFileTaken(session_file)
    return SessionTranscript.objects.create(
        owner=owner,
        session_id=found.session_id,
        agent_id=found.agent_id,
        session_file=session_file,
        first_at=from_ms(found.first_ms),
        last_at=from_ms(found.last_ms),
        client_version=found.client_version or None,
        received_at=now,
        updated_at=now,
    )


def _change(upload: _Upload, known: SessionTranscript) -> SessionTranscript:
    transcript = SessionTranscript.objects.select_for_update().filter(pk=known.pk).first()
    if transcript is None or transcript.revision != known.revision:
        raise TranscriptChanged("The transcript was changed by another upload.")
    found = upload.scan
    # What a part that is superseded now began is in the new one, so times only ever widen.
    transcript.first_at = min(_times(transcript.first_at, found.first_ms), default=None)
    transcript.last_at = max(_times(transcript.last_at, found.last_ms), default=None)
    transcript.client_version = transcript.client_version or found.client_version or None
    transcript.revision += 1
    transcript.updated_at = timezone.now()
    transcript.save()
    return transcript


def _times(stored: datetime | None, found_ms: int | None) -> list[datetime]:
    return [moment for moment in (stored, from_ms(found_ms)) if moment is not None]


def _add_part(upload: _Upload, transcript: SessionTranscript, comparison: Comparison) -> None:
    """A superseded part's row stays, so that its bytes are known when they come again; what only live parts
    need of it goes, because a session that grows by every upload leaves many."""
    transcript.parts.filter(pk__in=[part.pk for part in comparison.supersedes]).update(
        superseded=True, fingerprint=b""
    )
    SessionTranscriptPart.objects.create(
        transcript=transcript,
        uploaded_name=upload.name,
        raw_bytes=upload.spool.raw_bytes,
        stored_bytes=upload.spool.stored_bytes,
        sha256=upload.spool.sha256,
        first_at=from_ms(upload.scan.first_ms),
        fingerprint=bytes(upload.scan.fingerprint),
        received_at=transcript.updated_at,
    )
    _require_file(upload)


def _require_file(upload: _Upload) -> None:
    """Called while the person is locked: from then on no other upload removes the file."""
    if not default_storage.exists(upload.storage_key):
        raise UploadBusy("A failed upload of the same bytes removed the file.", "Send it again.")


def _remove_unused_file(upload: _Upload) -> None:
    """Runs while an error may be on its way, which must not be replaced by another."""
    live = SessionTranscriptPart.objects.filter(
        transcript__owner=upload.owner, sha256=upload.spool.sha256, superseded=False
    )
    try:
        with transaction.atomic():
            _lock_person(upload.owner)
            if not live.exists():
                _delete_file(upload.storage_key)
    except DatabaseError:
        log.warning(
            "%s may be left without a row. Nothing reads it then, so it does no harm.", upload.storage_key
        )


def _delete_file(key: str) -> None:
    """A file that cannot be deleted stays without a live row, and so is never read."""
    try:
        default_storage.delete(key)
    except Exception:
        log.exception("%s could not be deleted. Nothing reads it, so it does no harm.", key)


def _warnings(upload: _Upload, comparison: Comparison, uploaded_name: str | None) -> list[str]:
    found, warnings = upload.scan, []
    if comparison.restores:
        warnings.append("The stored file was missing or damaged on the server, and has been restored.")
    if uploaded_name and (warning := names.mismatch(uploaded_name, found.session_id, found.agent_id)):
        warnings.append(warning)
    if found.malformed_lines:
        warnings.append(
            f"{found.malformed_lines} of {found.lines} lines are damaged; what could be read of them counts."
        )
    if found.truncated_tail:
        warnings.append("The last line is incomplete: it counts once the whole line is uploaded.")
    return warnings
