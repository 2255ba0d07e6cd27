"""How far each processor is with a transcript."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.admin_base import chip
from telemetry.models import MAX_ATTEMPTS, SessionProcessorClaim, SessionProcessorState, SessionTranscript
from telemetry.models.transcripts import SessionTranscriptQuerySet
from telemetry.processors.attempts import DIED
from telemetry.processors.registry import PROCESSORS


class State(StrEnum):
    DONE = "done"
    WAITING = "waiting"
    WORKING = "at work"
    FAILED = "failed"  # and tried again
    GIVEN_UP = "given up"

    @property
    def chip(self) -> SafeString:
        return chip(self.value, CHIPS.get(self, ""))


CHIPS = {State.DONE: "good", State.FAILED: "look", State.GIVEN_UP: "bad"}
# So many transcripts are looked at, whatever else is asked of them.
FEW = 5_000
BEGUN = Q(processed_at__isnull=False) | Q(attempts__gt=0)


@dataclass(frozen=True)
class Progress:
    """`row` is what the processor wrote, of this revision of the transcript or of an older one."""

    processor_name: str
    state: State
    row: SessionProcessorState | None

    @property
    def error(self) -> str:
        troubled = self.row and self.state in (State.FAILED, State.GIVEN_UP)
        return (self.row.last_error or "") if self.row and troubled else ""


def state_of(row: SessionProcessorState | None, revision: int | None, *, is_claimed: bool) -> State:
    """`revision` is the transcript's; None where the transcript is gone."""
    if row is None or revision not in (row.revision, None):
        return State.WAITING
    if row.processed_at:
        return State.DONE
    if is_claimed and _may_be_at_work(row):
        return State.WORKING
    if row.attempts >= MAX_ATTEMPTS:
        return State.GIVEN_UP
    return State.FAILED if row.attempts else State.WAITING


def _may_be_at_work(row: SessionProcessorState) -> bool:
    return bool(not row.processed_at and row.attempts and row.last_error == DIED)


def progress_of(transcripts: Sequence[SessionTranscript]) -> dict[str, list[Progress]]:
    """For each session file, each processor's progress. One query, however many transcripts."""
    claims = SessionProcessorClaim.objects.filter(
        processor_name=OuterRef("processor_name"),
        user__transcripts__session_file=OuterRef("session_file"),
        expires_at__gt=timezone.now(),
    )
    states = SessionProcessorState.objects.filter(session_file__in=[it.session_file for it in transcripts])
    rows: dict[tuple[str, str], Any] = {
        (row.session_file, row.processor_name): row for row in states.annotate(is_claimed=Exists(claims))
    }
    progress: dict[str, list[Progress]] = defaultdict(list)
    for transcript in transcripts:
        for name in PROCESSORS:
            row = rows.get((transcript.session_file, name))
            state = state_of(row, transcript.revision, is_claimed=row is not None and row.is_claimed)
            progress[transcript.session_file].append(Progress(name, state, row))
    return progress


def claims_on(user_ids: Iterable[int]) -> set[tuple[str, int]]:
    """Which processors are at work on which of these people."""
    claims = SessionProcessorClaim.objects.filter(user_id__in=user_ids, expires_at__gt=timezone.now())
    return set(claims.values_list("processor_name", "user_id"))


def in_state(
    transcripts: SessionTranscriptQuerySet, processor_name: str, state: State
) -> SessionTranscriptQuerySet:
    """What is at work counts as failed: the difference is only known for a moment."""
    rows = SessionProcessorState.objects.filter(processor_name=processor_name)
    here = {"session_file": OuterRef("session_file"), "revision": OuterRef("revision")}
    match state:
        case State.DONE:
            return transcripts.filter(Exists(rows.filter(processed_at__isnull=False, **here)))
        case State.WAITING:
            return not_begun(_few(transcripts), processor_name)
    troubled = rows.filter(processed_at__isnull=True).filter(attempts_in(state))
    # There are few of them, so they lead the way.
    return transcripts.filter(
        Exists(troubled.filter(**here)), session_file__in=troubled.values("session_file")
    )


def not_begun(transcripts: SessionTranscriptQuerySet, processor_name: str) -> SessionTranscriptQuerySet:
    """Those whose present revision waits for a first attempt."""
    begun = SessionProcessorState.objects.filter(
        BEGUN,
        processor_name=processor_name,
        session_file=OuterRef("session_file"),
        revision=OuterRef("revision"),
    )
    return transcripts.filter(~Exists(begun))


def _few(transcripts: SessionTranscriptQuerySet) -> SessionTranscriptQuerySet:
    """Where few are unsettled they lead the way; where many are, some are soon met along any other."""
    unsettled = SessionTranscript.objects.unsettled().order_by()
    few = list(unsettled.values_list("pk", flat=True)[:FEW])
    return transcripts.filter(pk__in=few) if len(few) < FEW else transcripts


def attempts_in(state: State) -> Q:
    if state == State.GIVEN_UP:
        return Q(attempts__gte=MAX_ATTEMPTS)
    return Q(attempts__gt=0, attempts__lt=MAX_ATTEMPTS)
