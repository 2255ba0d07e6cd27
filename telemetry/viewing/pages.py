"""One page of a transcript, made ready for its template."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.safestring import SafeString

from accounts.markdown import render_markdown
from telemetry.errors import StoredFileDamaged
from telemetry.models import SessionTranscript, UsageSessionSummary
from telemetry.transcripts.extracting import SUBAGENT_TOOLS
from telemetry.transcripts.figures import TOOL_ERROR_KINDS
from telemetry.transcripts.values import from_ms
from telemetry.viewing.entry import MARKDOWN_KINDS, Entry, Kind
from telemetry.viewing.index import About, Index, Turn
from telemetry.viewing.index_files import open_index
from telemetry.viewing.parts import parts_of
from telemetry.viewing.reading import READ_KINDS, read_entries
from telemetry.viewing.visible import visible

# Rendering costs up to 20 microseconds a character: beyond so many on a page, Markdown is shown as it is.
MARKDOWN_CHARACTERS = 100_000
# So many subagents of a page are shown below their calls, and so many entries of each; all have a link.
NESTED_AGENTS = 5
NESTED_ENTRIES = 40
NESTED_BYTES = 4 * 1024 * 1024
OPEN_KINDS = READ_KINDS - {Kind.SUMMARY} | {Kind.INTERRUPTION, Kind.COMPACTION}


class NoSuchPage(Exception):
    """The transcript has fewer pages."""


@dataclass
class Agent:
    """The subagent that a call started. `transcript` None: it was not uploaded. `entries` are its first ones;
    `goes_on` tells that there are more, on its own page."""

    agent_id: str
    transcript: SessionTranscript | None = None
    summary: UsageSessionSummary | None = None
    entries: list["ShownEntry"] = field(default_factory=list)
    goes_on: bool = False


@dataclass
class ShownEntry:
    """Texts with visible marks; `html` where the text is Markdown. `turn` is the one that begins here, and
    `anchor` is set on the first entry of a line."""

    entry: Entry
    title: str
    about: str
    text: str
    html: SafeString | None
    session_file: str
    anchor: str = ""
    turn: Turn | None = None
    result: "ShownEntry | None" = None
    agent: Agent | None = None

    @property
    def at(self) -> datetime | None:
        return from_ms(self.entry.at_ms)

    @property
    def is_open(self) -> bool:
        return self.entry.kind in OPEN_KINDS

    @property
    def failed(self) -> bool:
        return (self.entry.result or self.entry).error_kind in TOOL_ERROR_KINDS

    @property
    def has_body(self) -> bool:
        return bool(self.text or self.html or self.entry.notes)


@dataclass
class Page:
    """`turn_before` is under way where the page begins; `shown` are all transcripts of which it has words."""

    number: int
    about: About
    turn_before: Turn | None
    entries: list[ShownEntry]
    shown: list[SessionTranscript]

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1


def read_page(transcript: SessionTranscript, number: int) -> Page:
    """Raises NoSuchPage, StoredFileDamaged, and SessionTranscript.DoesNotExist where it was just deleted."""
    parts = parts_of(transcript)
    rendering = Rendering()
    with open_index(transcript, parts) as index:
        if not 1 <= number <= index.about.pages:
            raise NoSuchPage
        in_agent_file = bool(transcript.agent_id)
        entries = read_entries(parts, index, number, in_agent_file=in_agent_file)
        shown = rendering.show(transcript, entries)
        _place_turns(shown, index, number)
        nested = _place_agents(transcript, shown, rendering)
        return Page(number, index.about, index.turn_before(number), shown, [transcript, *nested])


class Rendering:
    """Makes entries of one page ready; all of them share what may be spent on Markdown."""

    def __init__(self) -> None:
        self._characters_left = MARKDOWN_CHARACTERS

    def show(self, transcript: SessionTranscript, entries: Iterable[Entry]) -> list[ShownEntry]:
        return [self._shown(transcript, entry) for entry in entries]

    def _shown(self, transcript: SessionTranscript, entry: Entry) -> ShownEntry:
        text = visible(entry.text)
        return ShownEntry(
            entry,
            visible(entry.title),
            visible(entry.about),
            text,
            self._html(entry, text),
            transcript.session_file,
            result=self._shown(transcript, entry.result) if entry.result else None,
        )

    def _html(self, entry: Entry, text: str) -> SafeString | None:
        if entry.kind not in MARKDOWN_KINDS or len(text) > self._characters_left:
            return None
        self._characters_left -= len(text)
        return render_markdown(text)


def _place_turns(shown: Sequence[ShownEntry], index: Index, page: int) -> None:
    turns = {turn.line: turn for turn in index.turns(page)}
    line = None
    for it in shown:
        if it.entry.line != line:
            line = it.entry.line
            it.anchor = f"line-{line}"
            it.turn = turns.get(line)


# --- subagents --------------------------------------------------------------------------------------


def _place_agents(
    transcript: SessionTranscript, shown: Sequence[ShownEntry], rendering: Rendering
) -> list[SessionTranscript]:
    """Put subagents at the calls that started them, the first ones with their entries: these are returned."""
    # Where an agent was called again, the call that started it comes first.
    calls = {_agent_of(it): it for it in reversed(shown) if _agent_of(it)}
    found = _transcripts_of_agents(transcript, calls)
    nested: list[SessionTranscript] = []
    for agent_id, call in reversed(calls.items()):
        call.agent = Agent(agent_id, *found.get(agent_id, (None, None)))
        agents_own = call.agent.transcript
        if agents_own and len(nested) < NESTED_AGENTS and _show_nested(call.agent, agents_own, rendering):
            nested.append(agents_own)
    return nested


def _agent_of(it: ShownEntry) -> str:
    result = it.entry.result
    return result.agent_id if result and it.entry.title in SUBAGENT_TOOLS else ""


def _transcripts_of_agents(
    transcript: SessionTranscript, agent_ids: Iterable[str]
) -> dict[str, tuple[SessionTranscript, UsageSessionSummary | None]]:
    """Files of subagents have the session of who started them, and an agent id of their own."""
    rows = SessionTranscript.objects.of(transcript.owner_id).filter(
        session_id=transcript.session_id, agent_id__in=list(agent_ids)
    )
    by_agent = {row.agent_id: row for row in rows.exclude(pk=transcript.pk)}
    files = [row.session_file for row in by_agent.values()]
    summaries = {it.session_file: it for it in UsageSessionSummary.objects.filter(session_file__in=files)}
    return {agent: (row, summaries.get(row.session_file)) for agent, row in by_agent.items()}


def _show_nested(agent: Agent, transcript: SessionTranscript, rendering: Rendering) -> bool:
    """Whether the subagent's beginning is shown: a long or damaged transcript has its link only."""
    parts = parts_of(transcript)
    agent.goes_on = True
    if sum(part.raw_bytes for part in parts) > NESTED_BYTES:
        return False
    try:
        with open_index(transcript, parts) as index:
            entries = read_entries(parts, index, 1, in_agent_file=True)
            agent.goes_on = index.about.pages > 1 or len(entries) > NESTED_ENTRIES
    except (StoredFileDamaged, SessionTranscript.DoesNotExist):
        return False
    agent.entries = rendering.show(transcript, entries[:NESTED_ENTRIES])
    return True
