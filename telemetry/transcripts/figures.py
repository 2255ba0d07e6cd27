"""What extraction gives: events, messages, and the figures of one transcript (docs/COUNTING.md)."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from telemetry.transcripts.results import CallResult
from telemetry.transcripts.values import iso_ms

TOOL_ERROR_KINDS = frozenset({"exit_code", "tool_error", "other"})


class Evidence(NamedTuple):
    """Where a skill's body lay: `.../plugins/cache/<marketplace>/<plugin>/<version>/skills/...`."""

    marketplace: str
    plugin: str
    version: str


# The body lay where a person, a project or Claude Code itself keeps skills: it is no plugin's.
OF_NO_PLUGIN = Evidence("", "", "")


class Event(Struct, gc=False, array_like=True):
    """One tool call or command. Names that the source lacks are ''; `occurred_ms` is None without a time."""

    identity: str
    uuid: str
    parent_uuid: str
    event_type: str
    tool_name: str = ""
    skill_name: str = ""
    subagent_type: str = ""
    command_name: str = ""
    is_builtin: bool = False
    is_error: bool | None = None
    error_kind: str = "none"
    agent_not_found: bool = False
    model: str = ""
    cwd: str = ""
    git_branch: str = ""
    version: str = ""
    occurred_ms: int | None = None
    evidence: Evidence | None = None

    def answer(self, result: CallResult) -> None:
        self.error_kind = result.error_kind
        self.is_error = result.error_kind != "none"
        self.agent_not_found = result.agent_not_found

    @property
    def invoked_by(self) -> str:
        return "human" if self.event_type == "slash_command" else "model"

    @property
    def is_skill_invocation(self) -> bool:
        """Answered and not failed: a failed or unanswered Skill call is a tool call only."""
        return bool(self.skill_name) and self.is_error is False

    @property
    def reached_its_item(self) -> bool:
        """Whether a plugin may be credited: nobody refused the call, and a skill or agent really ran."""
        if self.error_kind in ("rejected", "cancelled") or self.agent_not_found:
            return False
        return self.tool_name != "Skill" or self.is_skill_invocation

    @property
    def digest_line(self) -> str:
        name = self.command_name if self.event_type == "slash_command" else self.tool_name
        occurred_at = iso_ms(self.occurred_ms)
        return f"{self.identity}\t{self.event_type}\t{name}\t{self.error_kind}\t{occurred_at}"


class UsageMessage(Struct, gc=False, array_like=True):
    """One API message: tokens and model of its record with the most output, the time of its first one."""

    key: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_creation_tokens: int
    cache_read_tokens: int
    occurred_ms: int | None
    skill_name: str

    def add_piece(self, later: "UsageMessage") -> None:
        """Take tokens and model as a whole from the piece with the most output, ties: the later one."""
        self.skill_name = self.skill_name or later.skill_name
        if later.output_tokens >= self.output_tokens:
            self.model = later.model
            self.input_tokens = later.input_tokens
            self.output_tokens = later.output_tokens
            self.cache_creation_tokens = later.cache_creation_tokens
            self.cache_read_tokens = later.cache_read_tokens


class Figures(Struct):
    """The figures of one transcript. Times in milliseconds; None where no own record has one."""

    lines: int = 0
    malformed_lines: int = 0
    human_prompts: int = 0
    programmatic_prompts: int = 0
    assistant_messages: int = 0
    events: int = 0
    tool_calls: int = 0
    mcp_calls: int = 0
    subagent_dispatches: int = 0
    slash_commands: int = 0
    builtin_commands: int = 0
    skill_invocations: int = 0
    distinct_tools: int = 0
    distinct_skills: int = 0
    tool_errors: int = 0
    rejections: int = 0
    cancelled: int = 0
    unanswered: int = 0
    interruptions: int = 0
    compactions: int = 0
    api_errors: int = 0
    api_retries: int = 0
    server_tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_tokens: int = 0
    cache_read_tokens: int = 0
    primary_model: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    active_ms: int = 0
    cwd: str = ""
    version: str = ""

    @property
    def wall_ms(self) -> int:
        return 0 if self.started_ms is None or self.ended_ms is None else self.ended_ms - self.started_ms


def count_events(figures: Figures, events: Iterable[Event]) -> None:
    """Add the figures that follow from the events (docs/COUNTING.md section 8)."""
    tools: set[str] = set()
    skills: set[str] = set()
    for event in events:
        figures.events += 1
        if event.event_type == "slash_command":
            figures.slash_commands += 1
            figures.builtin_commands += event.is_builtin
        else:
            figures.tool_calls += 1
            figures.mcp_calls += event.event_type == "mcp_call"
            figures.subagent_dispatches += event.event_type == "subagent"
            figures.tool_errors += event.error_kind in TOOL_ERROR_KINDS
            figures.rejections += event.error_kind == "rejected"
            figures.cancelled += event.error_kind == "cancelled"
            figures.unanswered += event.is_error is None
            tools.add(event.tool_name)
        if event.is_skill_invocation:
            figures.skill_invocations += 1
            skills.add(event.skill_name)
    figures.distinct_tools = len(tools - {""})
    figures.distinct_skills = len(skills)


def count_messages(figures: Figures, messages: Iterable[UsageMessage]) -> None:
    models: dict[str, int] = {}
    for message in messages:
        figures.assistant_messages += 1
        figures.input_tokens += message.input_tokens
        figures.output_tokens += message.output_tokens
        figures.cache_creation_tokens += message.cache_creation_tokens
        figures.cache_read_tokens += message.cache_read_tokens
        models[message.model] = models.get(message.model, 0) + 1
    figures.primary_model = primary_model(models)


def primary_model(messages_by_model: dict[str, int]) -> str:
    """The model with most messages, ties: the smaller name; '' only where there is no other."""
    named = {model: count for model, count in messages_by_model.items() if model}
    return min(named, key=lambda model: (-named[model], model), default="")


def digest(events: Iterable[Event]) -> str:
    """The fingerprint of a set of events by which two implementations are compared (section 9)."""
    lines = sorted(event.digest_line for event in events)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
