"""How far each processor is with a transcript."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

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
    if is_claimed and row.attempts and row.last_error == DIED:
        return State.WORKING
    if row.attempts >= MAX_ATTEMPTS:
        return State.GIVEN_UP
    return State.FAILED if row.attempts else State.WAITING


def progress_of(transcripts: Sequence[SessionTranscript]) -> dict[str, list[Progress]]:
    """For each session file, each processor's progress. Two queries, however many transcripts."""
    rows = {
        (row.session_file, row.processor_name): row
        for row in SessionProcessorState.objects.filter(
            session_file__in=[transcript.session_file for transcript in transcripts]
        )
    }
    claims = claims_on({transcript.owner_id for transcript in transcripts})
    progress: dict[str, list[Progress]] = defaultdict(list)
    for transcript in transcripts:
        for name in PROCESSORS:
            row = rows.get((transcript.session_file, name))
            state = state_of(row, transcript.revision, is_claimed=(name, transcript.owner_id) in claims)
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
            return transcripts.filter(~Exists(rows.filter(BEGUN, **here)))
    troubled = rows.filter(processed_at__isnull=True).filter(attempts_in(state))
    # There are few of them, so they lead the way.
    return transcripts.filter(
        Exists(troubled.filter(**here)), session_file__in=troubled.values("session_file")
    )


def attempts_in(state: State) -> Q:
    if state == State.GIVEN_UP:
        return Q(attempts__gte=MAX_ATTEMPTS)
    return Q(attempts__gt=0, attempts__lt=MAX_ATTEMPTS)
