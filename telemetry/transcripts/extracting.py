"""From the records of one transcript to its events, messages and figures, in one pass per part."""

import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from sys import intern
from typing import NamedTuple

from telemetry.transcripts.event_log import EventLog
from telemetry.transcripts.figures import (
    OF_NO_PLUGIN,
    Event,
    Evidence,
    Figures,
    UsageMessage,
    count_events,
    count_messages,
)
from telemetry.transcripts.fingerprints import (
    NOTHING_FOREIGN,
    Foreign,
    message_hash,
    record_hash,
    tool_call_hash,
)
from telemetry.transcripts.message_log import MessageLog
from telemetry.transcripts.messages import message_key, tool_call_identity
from telemetry.transcripts.prompts import (
    SKILL_BODY,
    UserClass,
    classify,
    command_name,
    is_programmatic,
    is_steering_prompt,
    spoken_text,
)
from telemetry.transcripts.reading import RecordReader
from telemetry.transcripts.records import Block, Message, Record, Usage
from telemetry.transcripts.results import CallResult, call_result
from telemetry.transcripts.values import bare, clean, timestamp_ms, token_count

# Between two lines of the main thread at most so much counts as activity (COUNTING section 8).
ACTIVE_GAP_MS = 300_000
# A command is expanded if one of so many records after it says so (COUNTING section 4).
EXPANSION_DISTANCE = 3
SUBAGENT_TOOLS = frozenset({"Task", "Agent"})
DEFAULT_SUBAGENT = "general-purpose"
NO_USAGE = Usage()

_CACHED_PLUGIN = re.compile(r"[\\/]plugins[\\/]cache[\\/]([^\\/\n]+)[\\/]([^\\/\n]+)[\\/]([^\\/\n]+)[\\/]")
_OF_NO_PLUGIN = re.compile(r"[\\/](\.claude[\\/]skills|bundled-skills)[\\/]")


class Extraction(NamedTuple):
    events: EventLog
    messages: MessageLog
    figures: Figures


def extract(
    parts: Sequence[Iterable[bytes]],
    *,
    agent_id: str = "",
    foreign: Foreign = NOTHING_FOREIGN,
) -> Extraction:
    """Read the parts of one transcript, in their order, and count what is its own.

    `parts` are the raw bytes of each part in chunks; `foreign` is what belongs to earlier transcripts of the
    same person.
    """
    extractor = _Extractor(agent_id, foreign)
    for chunks in parts:
        extractor.read_part(RecordReader(chunks))
    return extractor.finish()


class _PendingCommand:
    """A command of the current file whose next records may be its expansion."""

    def __init__(self, event: Event, *, programmatic: bool) -> None:
        self.event = event
        self.programmatic = programmatic
        self.records_left = EXPANSION_DISTANCE


class _Extractor:
    def __init__(self, agent_id: str, foreign: Foreign) -> None:
        self.is_main = agent_id == ""
        self.foreign = foreign
        self.has_foreign = bool(foreign)
        self.figures = Figures()
        self.events = EventLog()
        self.messages = MessageLog()
        # Hashes, since the uuids of a long transcript would take twice the memory.
        self.seen: set[int] = set()
        # Results whose call has not come (yet), and calls whose result has not come.
        self.early_results: dict[str, CallResult] = {}
        self.active = array("q")
        # Of the current file:
        self.pending_commands: list[_PendingCommand] = []
        self.last_ms: int | None = None
        self.untimed: list[Event | UsageMessage] = []

    def read_part(self, reader: RecordReader) -> None:
        self.pending_commands = []
        self.last_ms = None
        self.untimed = []
        for record in reader:
            self._read(record)
        self.figures.lines += reader.lines
        self.figures.malformed_lines += reader.malformed_lines

    def finish(self) -> Extraction:
        figures = self.figures
        self.seen.clear()
        count_events(figures, self.events)
        count_messages(figures, self.messages)
        if self.is_main:
            figures.active_ms = active_ms(self.active)
        return Extraction(self.events, self.messages, figures)

    def _read(self, record: Record) -> None:
        own_ms = timestamp_ms(record.timestamp)
        if own_ms is not None:
            self._note_time(own_ms)
        if self.pending_commands:
            self._expand_commands(record)
        uuid = record.uuid
        if not uuid or hash(uuid) in self.seen or not record.is_core:
            return
        self.seen.add(hash(uuid))
        own = not self.has_foreign or record_hash(uuid) not in self.foreign.records
        if record.type == "user":
            self._read_results(record)
        if own:
            self._count(record, own_ms)

    def _note_time(self, own_ms: int) -> None:
        if self.untimed:
            for waiting in self.untimed:
                waiting.occurred_ms = own_ms
            self.untimed = []
        self.last_ms = own_ms

    def _count(self, record: Record, own_ms: int | None) -> None:
        figures = self.figures
        main_thread = self.is_main and record.isSidechain is not True
        figures.cwd = figures.cwd or clean(record.cwd)
        figures.version = figures.version or clean(record.version)
        if record.type == "assistant":
            self._count_time(own_ms, main_thread)
            self._count_assistant(record)
        elif record.type == "user":
            self._count_time(own_ms, main_thread)
            self._count_user(record, main_thread)
        elif record.type == "system":
            self._count_system(record, main_thread)
        elif main_thread and is_steering_prompt(record):
            self._count_prompt(programmatic=(record.entrypoint or "").startswith("sdk-"))

    def _count_time(self, own_ms: int | None, main_thread: bool) -> None:
        if own_ms is None:
            return
        figures = self.figures
        if figures.started_ms is None or own_ms < figures.started_ms:
            figures.started_ms = own_ms
        if figures.ended_ms is None or own_ms > figures.ended_ms:
            figures.ended_ms = own_ms
        if main_thread:
            self.active.append(own_ms)

    # --- assistant records ------------------------------------------------------------------------

    def _count_assistant(self, record: Record) -> None:
        if record.isApiErrorMessage is True:
            self.figures.api_errors += 1
        message = record.message
        if message is None:
            return
        model = intern(clean(message.model))
        key = message_key(record)
        if key is not None:
            self._count_message(record, message, key, model)
        for index, block in enumerate(record.blocks):
            if block.type == "tool_use":
                self._count_tool_call(record, tool_call_identity(record, index, block), block, model)
            elif block.type == "server_tool_use":
                self.figures.server_tool_calls += 1

    def _count_message(self, record: Record, message: Message, key: str, model: str) -> None:
        if self.has_foreign and not self.messages.knows(key) and message_hash(key) in self.foreign.keys:
            return
        usage = message.usage or NO_USAGE
        piece = UsageMessage(
            key,
            model,
            token_count(usage.input_tokens),
            token_count(usage.output_tokens),
            token_count(usage.cache_creation_input_tokens),
            token_count(usage.cache_read_input_tokens),
            self.last_ms,
            bare(record.attributionSkill) if record.attributionSkill else "",
        )
        if self.last_ms is None:
            self.untimed.append(piece)
        self.messages.add(piece)

    def _count_tool_call(self, record: Record, identity: str, block: Block, model: str) -> None:
        if self.events.knows(identity):
            return
        if self.has_foreign and tool_call_hash(identity) in self.foreign.keys:
            return
        event = self._event(record, identity, "tool_use")
        event.model = model
        name_tool_call(event, block)
        result = self.early_results.pop(block.id, None) if block.id else None
        if result is not None:
            event.answer(result)
        self.events.add_call(event)

    def _event(self, record: Record, identity: str, event_type: str) -> Event:
        event = Event(
            identity,
            clean(record.uuid),
            clean(record.parentUuid),
            event_type,
            cwd=intern(clean(record.cwd)),
            git_branch=intern(clean(record.gitBranch)),
            version=intern(clean(record.version)),
            occurred_ms=self.last_ms,
        )
        if self.last_ms is None:
            self.untimed.append(event)
        return event

    # --- user records -----------------------------------------------------------------------------

    def _read_results(self, record: Record) -> None:
        """Join results to calls, copies included; and where a skill's body lay to its Skill call."""
        for block in record.blocks:
            if block.type == "tool_result" and block.tool_use_id:
                self._read_result(record, block, block.tool_use_id)
        if record.isMeta is True and record.sourceToolUseID:
            self.events.add_evidence(record.sourceToolUseID, evidence_of(record.text))

    def _read_result(self, record: Record, block: Block, identity: str) -> None:
        result = call_result(record, block)
        if self.events.knows(identity):
            self.events.answer(identity, result)
        else:
            self.early_results.setdefault(identity, result)

    def _count_user(self, record: Record, main_thread: bool) -> None:
        user_class = classify(record, main_thread=main_thread)
        if user_class is UserClass.COMMAND:
            name = command_name(spoken_text(record.text))
            self._count_command(record, name, programmatic=is_programmatic(record))
        elif user_class is UserClass.INTERRUPTION:
            self.figures.interruptions += 1
        elif user_class is UserClass.PROGRAMMATIC_PROMPT:
            self._count_prompt(programmatic=True)
        elif user_class is UserClass.HUMAN_PROMPT:
            self._count_prompt(programmatic=False)

    def _count_prompt(self, *, programmatic: bool) -> None:
        if programmatic:
            self.figures.programmatic_prompts += 1
        else:
            self.figures.human_prompts += 1

    def _count_command(self, record: Record, name: str, *, programmatic: bool) -> None:
        """A command is taken for one of the user interface until its expansion is met."""
        if not name:
            return
        event = self._command_event(record, name)
        self.pending_commands.append(_PendingCommand(event, programmatic=programmatic))

    def _command_event(self, record: Record, name: str) -> Event:
        event = self._event(record, record.uuid or "", "slash_command")
        event.command_name = name
        event.is_builtin = True
        event.is_error = False
        self.events.add_command(event)
        return event

    def _expand_commands(self, record: Record) -> None:
        for command in self.pending_commands:
            event = command.event
            command.records_left -= 1
            if record.type != "user" or record.isMeta is not True or record.parentUuid != event.identity:
                continue
            if event.is_builtin:
                event.is_builtin = False
                self._count_prompt(programmatic=command.programmatic)
            text = record.text.lstrip()
            if text.startswith(SKILL_BODY):
                event.skill_name = event.command_name
                event.evidence = evidence_of(text)
        self.pending_commands = [command for command in self.pending_commands if command.records_left]

    # --- system records ---------------------------------------------------------------------------

    def _count_system(self, record: Record, main_thread: bool) -> None:
        if record.subtype == "compact_boundary":
            self.figures.compactions += 1
        elif record.subtype == "api_error":
            self.figures.api_retries += 1
        elif record.subtype == "local_command" and main_thread and isinstance(record.content, str):
            name = command_name(spoken_text(record.content))
            if name:
                self._command_event(record, name)


def name_tool_call(event: Event, block: Block) -> None:
    """Fill type and names from the tool's name and input (docs/COUNTING.md section 5)."""
    name = intern(clean(block.name))
    event.tool_name = name
    given = block.input
    if name.startswith("mcp__"):
        event.event_type = "mcp_call"
    elif name in SUBAGENT_TOOLS:
        event.event_type = "subagent"
        event.subagent_type = (clean(given.subagent_type) if given else "") or DEFAULT_SUBAGENT
    elif name == "Skill" and given:
        event.skill_name = bare(given.skill) or bare(given.command) or bare(given.name)
    elif name == "SlashCommand" and given and isinstance(given.command, str):
        event.command_name = bare(next(iter(given.command.split(maxsplit=1)), ""))


def evidence_of(text: str) -> Evidence | None:
    """What the first line of a skill's body tells of its plugin; nothing more of it is kept."""
    first_line = text.lstrip().partition("\n")[0]
    if not first_line.startswith(SKILL_BODY):
        return None
    if match := _CACHED_PLUGIN.search(first_line):
        return Evidence(*(clean(part) for part in match.groups()))
    # Anywhere else it may be a plugin's that was loaded from a local folder.
    return OF_NO_PLUGIN if _OF_NO_PLUGIN.search(first_line) else None


def active_ms(moments: Iterable[int]) -> int:
    """The sum of the gaps between these moments, each gap counted up to five minutes."""
    ordered = sorted(moments)
    return sum(min(later - earlier, ACTIVE_GAP_MS) for earlier, later in pairwise(ordered))
