"""The events of one transcript, in bounded memory."""

from collections.abc import Iterator

from telemetry.transcripts.figures import Event, Evidence
from telemetry.transcripts.results import CallResult
from telemetry.transcripts.spilling import SpillFile

# So many events are held in memory, at about half a kilobyte each.
HELD_EVENTS = 10_000
# The last commands may still turn out to be expanded.
HELD_COMMANDS = 8


class EventLog:
    """Tool calls by identity, and commands. Iterates over all of them.

    Once there are many, they are put aside in a file; answers and evidence that come later are held apart
    and joined when the events are read.
    """

    def __init__(self) -> None:
        self._calls: dict[str, Event] = {}
        self._commands: list[Event] = []
        self._settled: set[int] = set()
        self._settled_calls = SpillFile(Event)
        self._settled_commands = SpillFile(Event)
        self._settled_command_count = 0
        self._late_answers: dict[str, CallResult] = {}
        self._late_evidence: dict[str, Evidence | None] = {}
        self._settle_at = HELD_EVENTS

    def __len__(self) -> int:
        return len(self._settled) + len(self._calls) + self._settled_command_count + len(self._commands)

    def __iter__(self) -> Iterator[Event]:
        for event in self._settled_calls:
            if event.is_error is None and (result := self._late_answers.get(event.identity)):
                event.answer(result)
            if event.identity in self._late_evidence:
                event.evidence = self._late_evidence[event.identity]
            yield event
        yield from self._calls.values()
        yield from self._settled_commands
        yield from self._commands

    def knows(self, identity: str) -> bool:
        """Whether a tool call with this identity was added."""
        return identity in self._calls or hash(identity) in self._settled

    def add_call(self, event: Event) -> None:
        self._calls[event.identity] = event
        if len(self._calls) >= self._settle_at:
            self._settle()

    def answer(self, identity: str, result: CallResult) -> None:
        """Join a result to its call; only the first one counts."""
        call = self._calls.get(identity)
        if call is None:
            self._late_answers.setdefault(identity, result)
        elif call.is_error is None:
            call.answer(result)

    def add_evidence(self, identity: str, evidence: Evidence | None) -> None:
        call = self._calls.get(identity)
        if call is not None:
            call.evidence = evidence
        elif self.knows(identity):
            self._late_evidence[identity] = evidence

    def add_command(self, event: Event) -> None:
        self._commands.append(event)
        if len(self._commands) >= HELD_EVENTS + HELD_COMMANDS:
            self._settle_commands()

    def _settle(self) -> None:
        settled = [event for event in self._calls.values() if _can_settle(event)]
        for event in settled:
            del self._calls[event.identity]
            self._settled.add(hash(event.identity))
        self._settled_calls.put(settled)
        # Those that cannot settle stay, and must not be looked through again for every new one.
        self._settle_at = len(self._calls) + HELD_EVENTS

    def _settle_commands(self) -> None:
        settled = [event for event in self._commands[:-HELD_COMMANDS] if _can_settle(event)]
        unsettled = [event for event in self._commands[:-HELD_COMMANDS] if not _can_settle(event)]
        self._settled_commands.put(settled)
        self._settled_command_count += len(settled)
        self._commands = unsettled + self._commands[-HELD_COMMANDS:]


def _can_settle(event: Event) -> bool:
    # An id that is not ASCII may hold what no file can: a lone surrogate.
    return event.occurred_ms is not None and event.identity.isascii()
