"""The one door through which transcripts come in: API, commands, demo and tests call `store_transcript`."""

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts import audit
from accounts.errors import PersonErased
from accounts.models import User
from telemetry.errors import (
    RecordsWithheld,
    SessionFileTaken,
    TranscriptChanged,
    TranscriptRefused,
    UploadBusy,
)
from telemetry.intake import names
from telemetry.intake.comparing import Comparison, Status, compare
from telemetry.intake.inflating import inflate
from telemetry.intake.spooling import Spool, spool
from telemetry.maintenance.stored_copies import remove_copies_from_files
from telemetry.models import SessionTranscript, SessionTranscriptPart, storage_key
from telemetry.processors import wakeup
from telemetry.processors.attempts import give_new_attempts
from telemetry.transcripts.redacting import without_records
from telemetry.transcripts.scanning import NotATranscript, Scan, scan
from telemetry.transcripts.values import clean, from_ms
from telemetry.withheld import Withheld, withheld_of

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
    SessionWithheld, RecordsWithheld, PersonErased, UploadTooLarge, UploadCorrupt, EncodingUnsupported,
    UploadBusy, StoredFileLost, or what `chunks` raises), nothing has changed. It opens a transaction of its
    own, so it must not be called inside one.
    """
    with ExitStack() as spools:
        spooled = spools.enter_context(spool())
        found = _scan(spooled.passing(inflate(chunks, encoding)))
        sent = _Upload(owner, spooled, found, clean(uploaded_name) or None)
        upload, comparison, transcript = _store(sent, spools)
    warnings = _warnings(upload, comparison, uploaded_name)
    if transcript.content_removed_at:
        warnings.append("Retention has removed this session's file, so it was not stored again.")
    return StoredTranscript(comparison.status, transcript, warnings)


@dataclass(frozen=True)
class _Upload:
    owner: User
    spool: Spool
    scan: Scan
    name: str | None
    # Set before it is compared: `spool` then holds nothing that may not be kept.
    withheld: Withheld | None = None
    left_out: int = 0

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


def _store(sent: _Upload, spools: ExitStack) -> tuple[_Upload, Comparison, SessionTranscript]:
    """What was stored of what was sent."""
    tried = [sent]
    stored: _Upload | None = None
    try:
        for _ in range(TRIES):
            try:
                upload = _without_withheld(sent, spools)
                tried.append(upload)
                comparison, transcript = _compare_and_write(upload)
            except TranscriptChanged:
                continue
            stored = upload if comparison.status.is_stored else None
            return upload, comparison, transcript
        raise UploadBusy(
            "Other uploads of the same session kept changing it.",
            "Send it again in a moment; if this goes on, tell an operator.",
        )
    finally:
        for upload in {id(it.spool): it for it in tried}.values():
            if upload.spool.saved_as and not (stored and stored.spool is upload.spool):
                _remove_unused_file(upload)


def _without_withheld(sent: _Upload, spools: ExitStack) -> _Upload:
    """Raises SessionWithheld, and RecordsWithheld where nothing is left."""
    withheld = withheld_of(sent.owner.pk)
    withheld.refuse(sent.scan.session_id)
    if not withheld.is_in(sent.scan.fingerprint):
        return replace(sent, withheld=withheld)
    # What is stored of it is compared with what is left, so it must be without them, too.
    which = {"session_id": sent.scan.session_id, "agent_id": sent.scan.agent_id}
    if not remove_copies_from_files(withheld, **which):
        raise UploadBusy("What is stored of this session cannot be read.", "Send it again in a moment.")
    spooled = spools.enter_context(spool())
    try:
        found = scan(spooled.passing(without_records(sent.spool.read(), withheld.hashes)))
    except NotATranscript as error:
        raise RecordsWithheld from error
    withheld.refuse(found.session_id)
    left_out = sent.scan.lines - found.lines
    return _Upload(sent.owner, spooled, found, sent.name, withheld, left_out)


def _compare_and_write(upload: _Upload) -> tuple[Comparison, SessionTranscript]:
    """Comparing reads files, so it happens before the transaction, which checks that it still holds."""
    known = _look_up(upload)
    is_removed = bool(known.transcript and known.transcript.content_removed_at)
    comparison = compare(upload.spool, known.parts, user_id=upload.owner.pk, is_removed=is_removed)
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
        _lock_uploader(upload.owner)
        if upload.withheld:
            upload.withheld.require_current()
        transcript = _change(upload, known.transcript) if known.transcript else _create(upload)
        _add_part(upload, transcript, comparison)
        audit.record(
            "session.upload",
            target=transcript.audit_target,
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
        _lock_uploader(upload.owner)
        live = SessionTranscriptPart.objects.filter(pk=part.pk, superseded=False)
        if not live.update(stored_bytes=upload.spool.stored_bytes):
            raise TranscriptChanged("The part was superseded by another upload.")
        _require_file(upload)
        give_new_attempts(transcript)
        audit.record(
            "session.restore",
            target=transcript.audit_target,
            actor=upload.owner,
            params={"bytes": upload.spool.raw_bytes},
        )
        wakeup.request_runs()
    log.warning("%s was missing or damaged, and was restored from an upload.", upload.storage_key)


def _lock_uploader(owner: User) -> None:
    """Raises PersonErased: an upload may have begun before."""
    if _lock_person(owner).erased_at:
        raise PersonErased


def _lock_person(owner: User) -> User:
    """One upload of a person writes at a time: so a row that is not there yet cannot appear meanwhile, and
    a file is not removed while another upload of the same bytes relies on it."""
    person: User = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    return person


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
        listed_at=from_ms(found.first_ms) or now,
    )


def _change(upload: _Upload, known: SessionTranscript) -> SessionTranscript:
    transcript = SessionTranscript.objects.select_for_update().filter(pk=known.pk).first()
    if transcript is None or transcript.revision != known.revision:
        raise TranscriptChanged("The transcript was changed by another upload.")
    if transcript.content_removed_at != known.content_removed_at:
        raise TranscriptChanged("Retention removed the transcript's files meanwhile.")
    found = upload.scan
    transcript.content_removed_at = None
    # What a part that is superseded now began is in the new one, so times only ever widen.
    transcript.first_at = min(_times(transcript.first_at, found.first_ms), default=None)
    transcript.last_at = max(_times(transcript.last_at, found.last_ms), default=None)
    transcript.client_version = transcript.client_version or found.client_version or None
    transcript.revision += 1
    transcript.is_unsettled = True
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
    if upload.left_out:
        warnings.append(
            f"{upload.left_out} lines were left out: they are copies of a session that was marked private or "
            "removed, or may quote it."
        )
    if found.malformed_lines:
        warnings.append(
            f"{found.malformed_lines} of {found.lines} lines are damaged; what could be read of them counts."
        )
    if found.truncated_tail:
        warnings.append("The last line is incomplete: it counts once the whole line is uploaded.")
    return warnings
