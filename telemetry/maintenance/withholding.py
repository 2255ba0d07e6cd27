"""A session that may not be here: it goes with all that there is of it, and does not come back.

First one transaction removes its rows and those that copies of its records gave elsewhere, and refuses its
uploads from then on. What cannot be part of a transaction follows: files, copies inside of other files, the
lake's old files, and the list that outlives the database. `cleaned_at` stays NULL until that is done, and
whoever runs next goes on with it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.errors import NotFound
from accounts.models import User
from telemetry.database.durability import traceless_deletes
from telemetry.errors import NoListOfErasures, SessionWithheld
from telemetry.maintenance import listing
from telemetry.maintenance.copies import remove_copies_from_rows
from telemetry.maintenance.doomed_files import delete_doomed
from telemetry.maintenance.leftovers import remove_uploads_of
from telemetry.maintenance.publishing_purges import publish_purged
from telemetry.maintenance.removing import Counts, remove_transcripts
from telemetry.maintenance.stored_copies import remove_copies_from_files
from telemetry.models import SessionTranscript, WithheldSession
from telemetry.processors import wakeup
from telemetry.processors.claims import take_person_from_workers
from telemetry.processors.library import load_transcripts
from telemetry.processors.registry import PROCESSORS
from telemetry.processors.runner import run
from telemetry.transcripts.fingerprints import Fingerprint
from telemetry.transcripts.values import clean
from telemetry.withheld import withheld_of

ACTION, READMISSION = "session.delete", "session.readmit"
Reason = WithheldSession.Reason
# What may be left for later.
FILES, COPIES, LAKE, LIST = "files", "copies", "lake", "list"

log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """`removed`: how many rows, by name; `copies`: other transcripts that held copies of its records.
    `left` names what is still being removed, nothing once all is done."""

    session_id: str
    user_id: int
    reason: Reason
    removed: Counts
    copies: int
    left: list[str] = field(default_factory=list)


def withhold(
    owner: User, session_id: str, *, reason: Reason, actor: User | None, seconds: float | None = None
) -> Outcome:
    """Remove a session with its subagents, whether it is here or not, and refuse it from now on.

    Done again, it changes nothing. After about `seconds` what is left is left to the task worker.
    """
    started = monotonic()
    mark = WithheldSession(user=owner, session_id=clean(session_id), reason=reason, at=timezone.now())
    with traceless_deletes():
        outcome = _remove(mark, actor)
        left = None if seconds is None else max(0.0, started + seconds - monotonic())
        outcome.left = clean_up(owner.pk, is_listed=_write_list(), seconds=left)
    return outcome


def readmit(owner: User, session_id: str) -> None:
    """Take it from now on, where nothing of it was removed when its person marked it. Raises SessionWithheld,
    NotFound."""
    session_id = clean(session_id)
    with transaction.atomic(durable=True):
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        row = WithheldSession.objects.in_force().filter(user=owner, session_id=session_id).first()
        if row is None:
            raise NotFound(
                f"You have marked no session {session_id[:200]!r} private.", "Give its id as it was marked."
            )
        if row.reason != Reason.PRIVATE or row.fingerprint:
            raise SessionWithheld(row.reason)
        row.readmitted_at = row.cleaned_at = timezone.now()
        row.save()
        target = f"withheld_session:{row.pk}"
        audit.record(READMISSION, target=target, actor=owner, params={"user": owner.pk})
    _write_list()


def withhold_as_listed(owner: User, entry: listing.WithheldEntry) -> None:
    """Have it as the list says, where the database does not know it yet: withheld, or taken back. What no
    transaction removes is left to `go_on`."""
    mark = WithheldSession(
        user=owner,
        session_id=entry.session_id,
        reason=entry.reason,
        at=entry.at,
        fingerprint=entry.fingerprint,
    )
    with transaction.atomic():
        if entry.readmitted_at is None:
            _remove_rows(mark, None, overrules=True)
            return
        mark.readmitted_at = mark.cleaned_at = entry.readmitted_at
        WithheldSession.objects.filter(user=owner, session_id=entry.session_id).delete()
        mark.save()


def clean_up(user_id: int, *, is_listed: bool, seconds: float | None = None) -> list[str]:
    """What is left to remove of a person's withheld sessions; returns what then is still left. `is_listed`:
    the list was written, and has them."""
    withheld = list(WithheldSession.objects.filter(user_id=user_id, cleaned_at=None))
    left = [] if is_listed else [LIST]
    if not remove_copies_from_files(withheld_of(user_id)):
        left.append(COPIES)
    remove_uploads_of([row.session_id for row in withheld])
    if not delete_doomed(user_id=user_id):
        left.append(FILES)
    if not _publish_without(user_id, seconds):
        left.append(LAKE)
    if not left:
        done = [row.pk for row in withheld]
        WithheldSession.objects.filter(pk__in=done).update(cleaned_at=timezone.now())
    return left


def go_on(*, seconds: float | None = None) -> bool:
    """With what is not clean yet, of everybody. False where something is left."""
    user_ids = set(WithheldSession.objects.filter(cleaned_at=None).values_list("user_id", flat=True))
    if not user_ids:
        return True
    with traceless_deletes():
        is_listed = _write_list()
        left = [clean_up(user_id, is_listed=is_listed, seconds=seconds) for user_id in user_ids]
    return not any(left)


def _write_list() -> bool:
    try:
        listing.write()
    except (OSError, NoListOfErasures) as error:
        log.error("The list of what may not come back could not be written: %s", error)
        return False
    return True


def _remove(mark: WithheldSession, actor: User | None) -> Outcome:
    with transaction.atomic(durable=True):
        return _remove_rows(mark, actor)


def _remove_rows(mark: WithheldSession, actor: User | None, *, overrules: bool = False) -> Outcome:
    """In the caller's transaction. `overrules`: the mark is newer than the one that there may be, and not
    just another."""
    owner, reason = mark.user, Reason(mark.reason)
    take_person_from_workers(owner.pk)
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    transcripts = list(SessionTranscript.objects.of(owner.pk).filter(session_id=mark.session_id))
    withheld = _withhold(mark, transcripts, overrules)
    removed = remove_transcripts(transcripts, purge=True)
    copies = remove_copies_from_rows(owner.pk, Fingerprint.from_bytes(bytes(withheld.fingerprint)))
    params: dict[str, Any] = {"user": owner.pk, "reason": reason.value, "copies": copies, **removed}
    audit.record(ACTION, target=f"withheld_session:{withheld.pk}", actor=actor, params=params)
    # Should this process die, a worker goes on.
    wakeup.request_runs()
    return Outcome(mark.session_id, owner.pk, reason, removed, copies)


def _withhold(
    mark: WithheldSession, transcripts: Sequence[SessionTranscript], overrules: bool
) -> WithheldSession:
    """The row that refuses it, with the hashes of what was removed with it, now or before."""
    row = WithheldSession.objects.filter(user=mark.user, session_id=mark.session_id).first() or mark
    if overrules or row.readmitted_at:
        row.reason, row.at, row.readmitted_at = mark.reason, mark.at, None
    known = load_transcripts(mark.user_id) if transcripts else {}
    removed = [known[it.pk].fingerprint for it in transcripts if it.pk in known]
    of_mark = Fingerprint.from_bytes(bytes(mark.fingerprint))
    row.fingerprint = _joined(bytes(row.fingerprint), of_mark, *removed)
    row.cleaned_at = None
    row.save()
    return row


def _joined(stored: bytes, *removed: Fingerprint) -> bytes:
    """Each that is not in there yet: after a restore the same is removed once more."""
    for fingerprint in removed:
        if not set(fingerprint.hashes) <= set(Fingerprint.from_bytes(stored).hashes):
            stored += bytes(fingerprint)
    return stored


def _publish_without(user_id: int, seconds: float | None) -> bool:
    """What held copies is extracted anew first, as far as time allows, so that what is its own comes back."""
    started = monotonic()
    for name in PROCESSORS:
        run(name, user_id=user_id, seconds=None if seconds is None else seconds / 2)
    left = None if seconds is None else max(0.0, started + seconds - monotonic())
    return publish_purged(seconds=left)
