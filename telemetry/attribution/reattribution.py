"""When identifiers came to mean something else: the transcripts that name them are processed again.

Not the rows are changed in place: whether a call reached its item (an agent that was not found did not) is
told by the transcript alone, so only processing gives what processing everything anew would give.
"""

from collections.abc import Iterable, Iterator, Set

from django.db import transaction
from django.db.models import Q

from telemetry.attribution.lookup import Lookup, lookup_of_event, lookup_of_skill
from telemetry.models import SessionProcessorState, SessionTranscript, UsageEvent, UsageMessage
from telemetry.processors import usage, wakeup
from telemetry.transcripts.figures import Event, Evidence


def process_again_where_named(identifiers: Set[str], *, after: int, at_most: int) -> int | None:
    """Make those of the next transcripts pending that name any of these identifiers.

    Looks at no more than `at_most` transcripts, those with the smallest ids beyond `after`. Returns the last
    one's id, for the next call; None where there was none left. Before the first call, call
    telemetry.attribution.lock.wait_for_attributing_transactions().
    """
    rows = SessionTranscript.objects.readable().filter(pk__gt=after).order_by("pk")
    transcripts = dict(rows.values_list("pk", "session_file")[:at_most])
    if not transcripts:
        return None
    named = {
        session_file
        for session_file, lookup in _lookups(list(transcripts.values()))
        if any(identifier in identifiers for _, identifier in lookup.wanted)
    }
    _make_pending(named)
    return max(transcripts)


def _lookups(session_files: list[str]) -> Iterator[tuple[str, Lookup]]:
    """What was looked up for the stored rows of these transcripts, as far as the rows tell."""
    yield from _lookups_of_events(session_files)
    messages = UsageMessage.objects.filter(session_file__in=session_files, skill_name__isnull=False)
    for session_file, skill_name in messages.values_list("session_file", "skill_name").distinct().iterator():
        yield session_file, lookup_of_skill(str(skill_name))


def _lookups_of_events(session_files: list[str]) -> Iterator[tuple[str, Lookup]]:
    """As if every call had reached its item: more are found than need be, and none is missed."""
    events = UsageEvent.objects.filter(~Q(event_type="tool_use") | Q(skill_name__isnull=False))
    rows = events.filter(session_file__in=session_files).values_list(
        "session_file", "event_type", "tool_name", "skill_name", "subagent_type", "command_name",
        "evidence_marketplace", "evidence_plugin",
    )  # fmt: skip
    for (
        session_file,
        event_type,
        tool,
        skill,
        agent,
        command,
        marketplace,
        plugin,
    ) in rows.distinct().iterator():
        event = Event(
            "", "", "", event_type, tool or "", skill or "", agent or "", command or "", is_error=False
        )
        if marketplace and plugin:
            event.evidence = Evidence(marketplace, plugin, "")
        lookup = lookup_of_event(event)
        if lookup:
            yield session_file, lookup


@transaction.atomic
def _make_pending(session_files: Iterable[str]) -> None:
    """What is not done is left alone: it asks whose its events are when it is written."""
    session_files = list(session_files)
    if not session_files:
        return
    SessionTranscript.objects.filter(session_file__in=session_files).unsettle()
    done = SessionProcessorState.objects.filter(
        processor_name=usage.NAME, session_file__in=session_files, processed_at__isnull=False
    )
    if done.update(revision=0, attempts=0, processed_at=None, last_error=None):
        wakeup.request_runs()
