"""What there is of a person here, for agnes/erasing: rows in short transactions, then files and the lake."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.db.models import Model, QuerySet

from accounts.erasing.kinds import Counts, Kind, chosen, rows
from accounts.erasing.subject import Subject
from accounts.models import User
from telemetry.dirty_days import mark_dirty, stored_days
from telemetry.files import spool
from telemetry.files.storage import remove_empty_folder
from telemetry.maintenance import frozen_figures
from telemetry.maintenance.doomed_files import delete_doomed
from telemetry.maintenance.leftovers import QUIET_SECONDS
from telemetry.maintenance.removing import EXTRACTED, deleted, remove_transcripts
from telemetry.models import (
    AskQuestion,
    SessionProcessorClaim,
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageMessage,
    UsageSessionItem,
    UsageSessionSummary,
    VerificationFinding,
    WithheldSession,
    storage_folder,
)
from telemetry.processors.claims import take_person_from_workers

# So many transcripts go in one transaction: nobody writes to SQLite meanwhile.
TRANSCRIPTS_AT_ONCE = 20


def session_ids_of(user_id: int) -> frozenset[str]:
    """Of all sessions that are here, and of those that may not be."""
    here = SessionTranscript.objects.of(user_id).order_by().values_list("session_id", flat=True)
    withheld = WithheldSession.objects.filter(user=user_id).values_list("session_id", flat=True)
    return frozenset(here) | frozenset(withheld)


def _count_transcripts(subject: Subject) -> Counts:
    of_person = SessionTranscript.objects.of(subject.pk)
    counts = Counter({"transcripts": of_person.count()})
    for name, model in EXTRACTED.items():
        counts[name] = model._default_manager.filter(session_file__startswith=_prefix(subject)).count()
    return +counts


def _remove_transcripts(subject: Subject) -> Counts:
    take_person_from_workers(subject.pk)
    User.objects.select_for_update(no_key=True).get(pk=subject.pk)
    some = list(SessionTranscript.objects.of(subject.pk).order_by("pk")[:TRANSCRIPTS_AT_ONCE])
    return +remove_transcripts(some, purge=True) if some else _remove_orphans(subject)


def _remove_orphans(subject: Subject) -> Counts:
    """Rows of transcripts that are not there any more, which there should be none of, and what reprocessing
    or pruning has left behind in old files of the lake."""
    mark_dirty({None} | stored_days(user=subject.pk), purge=True)
    counts: Counts = Counter()
    of_person: list[type[Model]] = [UsageEvent, UsageMessage, UsageSessionSummary]
    of_files: list[type[Model]] = [SessionProcessorState, VerificationFinding, UsageSessionItem]
    for model in of_person:
        counts["orphans"] += deleted(model._default_manager.filter(user=subject.pk))
    for model in of_files:
        counts["orphans"] += deleted(model._default_manager.filter(session_file__startswith=_prefix(subject)))
    return +counts


def _count_frozen_figures(subject: Subject) -> Counts:
    return +Counter({"figures of frozen days": frozen_figures.of_person(subject.pk).count()})


def _subtract_frozen_figures(subject: Subject) -> Counts:
    return +Counter({"figures of frozen days": frozen_figures.subtract(subject.pk)})


def _is_question_about(question: AskQuestion, subject: Subject) -> bool:
    """Theirs, or one that names them."""
    return question.user_id == subject.pk or subject.mentioned_in(
        question.question, question.sql, question.first_sql, question.rationale, question.sent
    )


def _withheld(subject: Subject) -> "QuerySet[WithheldSession]":
    return WithheldSession.objects.filter(user=subject.pk)


def _claims(subject: Subject) -> "QuerySet[SessionProcessorClaim]":
    return SessionProcessorClaim.objects.filter(user=subject.pk)


# Sessions are forgotten last: what names them is found by their ids.
KINDS: tuple[Kind, ...] = (
    chosen("questions", lambda: AskQuestion.objects.order_by("pk"), _is_question_about),
    # It asks the summaries.
    Kind(_count_frozen_figures, _subtract_frozen_figures),
    Kind(_count_transcripts, _remove_transcripts),
    rows("withheld sessions", _withheld),
    rows("claims of workers", _claims),
)


def _prefix(subject: Subject) -> str:
    """Of all their session_files."""
    return f"u{subject.pk}_"


def count_files(subject: Subject) -> Counts:
    return +Counter({"stored files": len(_stored(subject.pk)), "leftovers": len(_leftovers())})


def remove_files(user_id: int) -> bool:
    """Stored ones, and what was killed left in the spool folder of this machine. False where the storage did
    not delete some."""
    for path in _leftovers():
        spool.remove(path)
    if not delete_doomed(user_id=user_id):
        return False
    with suppress(OSError):
        for key in _stored(user_id):
            default_storage.delete(key)
        remove_empty_folder(storage_folder(user_id))
        return True
    return False


def _stored(user_id: int) -> list[str]:
    """Whether or not a row names them."""
    folder = storage_folder(user_id)
    try:
        return [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    except FileNotFoundError:
        return []


def _leftovers() -> list[Path]:
    """Whose they are cannot be told of all: what nobody writes to goes, and is made again if it is needed."""
    return spool.leftovers(timedelta(seconds=QUIET_SECONDS))
