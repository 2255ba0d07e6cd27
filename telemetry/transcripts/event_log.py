"""The events of one transcript, in bounded memory."""

from collections.abc import Iterator

from telemetry.transcripts.figures import Event
from telemetry.transcripts.spilling import SpillFile

# So many events are held in memory, at about half a kilobyte each.
HELD_EVENTS = 10_000


class EventLog:
    """Tool calls by identity, and commands. Iterates over all of them.

    Once there are many, those that cannot change any more (answered, and no Skill call, whose evidence comes
    after its answer) are put aside in a file.
    """

    def __init__(self) -> None:
        self._calls: dict[str, Event] = {}
        self._commands: list[Event] = []
        self._settled: set[int] = set()
        self._settled_events = SpillFile(Event)
        self._settle_at = HELD_EVENTS

    def __len__(self) -> int:
        return len(self._settled) + len(self._calls) + len(self._commands)

    def __iter__(self) -> Iterator[Event]:
        yield from self._settled_events
        yield from self._calls.values()
        yield from self._commands

    def knows(self, identity: str) -> bool:
        """Whether a tool call with this identity was added."""
        return identity in self._calls or hash(identity) in self._settled

    def open_call(self, identity: str | None) -> Event | None:
        """The tool call with this identity, if it may still change."""
        return self._calls.get(identity) if identity else None

    def add_call(self, event: Event) -> None:
        self._calls[event.identity] = event
        if len(self._calls) >= self._settle_at:
            self._settle()

    def add_command(self, event: Event) -> None:
        self._commands.append(event)

    def _settle(self) -> None:
        settled = [event for event in self._calls.values() if _is_settled(event)]
        for event in settled:
            del self._calls[event.identity]
            self._settled.add(hash(event.identity))
        self._settled_events.put(settled)
        # Calls that nobody answers stay, and must not be looked through again for every new one.
        self._settle_at = len(self._calls) + HELD_EVENTS


def _is_settled(event: Event) -> bool:
    if event.is_error is None or event.occurred_ms is None:
        return False
    # An id that is not ASCII may hold what no file can: a lone surrogate.
    return event.tool_name != "Skill" and event.identity.isascii()
