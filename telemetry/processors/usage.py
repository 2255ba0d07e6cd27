"""The processor `usage`: the events, messages and summary of each transcript."""

from dataclasses import dataclass
from itertools import chain

from telemetry.attribution.lock import attribute_in_this_transaction
from telemetry.attribution.lookup import lookup_of_event, lookup_of_skill, resolve
from telemetry.database.bulk import IN_LIMIT, execute, fetch, insert_rows
from telemetry.dirty_days import Days, days_of, distinct_days, mark_dirty, stored_days
from telemetry.frozen_days import Horizon, horizon
from telemetry.intake.names import main_file_of
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageMessage,
    UsageSessionItem,
    UsageSessionSummary,
)
from telemetry.processors.base import Job, Processor
from telemetry.processors.usage_rows import (
    EVENT_COLUMNS,
    ITEM_COLUMNS,
    MESSAGE_COLUMNS,
    SUMMARY_COLUMNS,
    event_id,
    event_rows,
    item_rows,
    message_rows,
    stored_key,
    summary_row,
)
from telemetry.transcripts.extracting import Extraction
from telemetry.transcripts.extracting import extract as extract_transcript
from telemetry.transcripts.figures import OF_NO_PLUGIN
from telemetry.transcripts.values import from_ms

# Raise it when extraction gives other results. What is done stays as it is until an operator has it done
# again: the system check telemetry.W001 says so, and how.
USAGE_PROCESSOR_VERSION = 1
NAME = "usage"

# One for each transcript: as SQL it takes a twentieth of the time that the ORM does.
LIST_ITEMS_OF_SESSION = """
UPDATE usage_session_items SET listed_at = (SELECT listed_at FROM session_transcripts WHERE session_file = %s)
WHERE session_file IN (SELECT session_file FROM session_transcripts WHERE owner_id = %s AND session_id = %s)
AND (listed_at IS NULL OR listed_at <> (SELECT listed_at FROM session_transcripts WHERE session_file = %s))
"""
LIST_ITEMS_OF_SUBAGENT = """
UPDATE usage_session_items SET listed_at = (SELECT listed_at FROM session_transcripts WHERE session_file = %s)
WHERE session_file = %s
"""


def extract(job: Job) -> "UsageResult":
    extraction = extract_transcript(
        job.open_parts(), agent_id=job.transcript.agent_id, foreign=job.batch.foreign_to(job.known)
    )
    return UsageResult(job, extraction)


USAGE = Processor(NAME, USAGE_PROCESSOR_VERSION, extract)


@dataclass(frozen=True)
class UsageResult:
    job: Job
    extraction: Extraction

    @property
    def items(self) -> int:
        return len(self.extraction.events)

    def write(self) -> None:
        kept = horizon(self.job.transcript.received_at)
        days = days_of(self.extraction, kept)
        days |= self._remove_old_rows() | self._take_over_from_later_transcripts()
        self._insert_rows(kept)
        summary = summary_row(self.job, self.extraction.figures, USAGE_PROCESSOR_VERSION)
        insert_rows(UsageSessionSummary, SUMMARY_COLUMNS, [summary])
        self._list_where_it_began()
        mark_dirty(days)

    def _remove_old_rows(self) -> Days:
        """Remove what an earlier revision gave; the days it lay on."""
        session_file = self.job.transcript.session_file
        if not fetch("SELECT 1 FROM usage_session_summary WHERE session_file = %s", (session_file,)):
            return set()
        days = stored_days(session_file=session_file)
        UsageSessionSummary.objects.filter(session_file=session_file).delete()
        UsageEvent.objects.filter(session_file=session_file).delete()
        UsageMessage.objects.filter(session_file=session_file).delete()
        UsageSessionItem.objects.filter(session_file=session_file).delete()
        return days

    def _take_over_from_later_transcripts(self) -> Days:
        """Later transcripts that have copies of this one's records may have counted them, if they came first:
        what is counted here is removed there, and they become pending again. Returns the days on which that
        lay: of a message that was cut here, the copy may have another time."""
        days: Days = set()
        later = [known.session_file for known in self.job.batch.later_sharers(self.job.known)]
        if not later:
            return days
        user_id = self.job.owner.pk
        states = SessionProcessorState.objects.filter(processor_name=NAME)
        events = UsageEvent.objects.filter(user_id=user_id)
        messages = UsageMessage.objects.filter(user_id=user_id)
        for session_files in _cut(later):
            again = SessionTranscript.objects.filter(session_file__in=session_files).readable()
            again.unsettle()
            states.filter(session_file__in=again.values("session_file")).update(revision=0, processed_at=None)
        for ids in _cut([event_id(user_id, event) for event in self.extraction.events]):
            events.filter(id__in=ids).delete()
        for keys in _cut([stored_key(message.key) for message in self.extraction.messages]):
            taken = messages.filter(message_id__in=keys)
            days |= distinct_days(taken, "occurred_at")
            taken.delete()
        return days

    def _insert_rows(self, kept: Horizon) -> None:
        events, messages, _ = self.extraction
        of_no_plugin = {event.skill_name for event in events if event.evidence == OF_NO_PLUGIN}
        turns = (
            lookup_of_skill(name) if (name := message.skill_name) and name not in of_no_plugin else None
            for message in messages
        )
        attribute_in_this_transaction()
        items = resolve(chain(map(lookup_of_event, events), turns))
        rows = event_rows(self.job, events, items[: len(events)], USAGE_PROCESSOR_VERSION, kept)
        insert_rows(UsageEvent, EVENT_COLUMNS, rows)
        rows = message_rows(self.job, messages, items[len(events) :], kept)
        insert_rows(UsageMessage, MESSAGE_COLUMNS, rows)
        used = list(item_rows(self.job.transcript.session_file, items[: len(events)]))
        insert_rows(UsageSessionItem, ITEM_COLUMNS, used)
        if used and self.job.transcript.agent_id:
            session_file = self.job.transcript.session_file
            execute(LIST_ITEMS_OF_SUBAGENT, (main_file_of(session_file), session_file))

    def _list_where_it_began(self) -> None:
        """In lists of sessions a fork stands where its own records begin, not those that it copied."""
        transcript = self.job.transcript
        began = from_ms(self.extraction.figures.started_ms) or transcript.first_at or transcript.received_at
        if began != transcript.listed_at:
            SessionTranscript.objects.filter(pk=transcript.pk).update(listed_at=began)
        if not transcript.agent_id:
            session = (self.job.owner.pk, transcript.session_id)
            execute(LIST_ITEMS_OF_SESSION, (transcript.session_file, *session, transcript.session_file))


def _cut(values: list[str]) -> list[list[str]]:
    return [values[start : start + IN_LIMIT] for start in range(0, len(values), IN_LIMIT)]
