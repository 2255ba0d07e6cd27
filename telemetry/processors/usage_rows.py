"""From what was extracted to rows of the usage tables."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from telemetry.attribution.lookup import Item
from telemetry.database.bulk import Row, db_moment, db_now
from telemetry.frozen_days import Horizon
from telemetry.intake.names import main_file_of
from telemetry.processors.base import Job
from telemetry.transcripts.figures import OF_NO_PLUGIN, Event, Figures, UsageMessage
from telemetry.transcripts.values import NAME_CHARACTERS, clean

EVENT_COLUMNS = (
    "id", "session_id", "session_file", "agent_id", "user_id", "username", "event_uuid", "parent_uuid",
    "event_type", "tool_name", "skill_name", "subagent_type", "command_name", "invoked_by", "is_builtin",
    "is_error", "error_kind", "source", "ref_id", "component_kind", "component_name", "evidence_marketplace",
    "evidence_plugin", "evidence_version", "model", "cwd", "git_branch", "cli_version", "occurred_at",
    "processor_version", "extracted_at",
)  # fmt: skip
MESSAGE_COLUMNS = (
    "id", "user_id", "message_id", "session_file", "agent_id", "model", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_creation_tokens", "occurred_at", "skill_name", "source", "ref_id",
)  # fmt: skip
ITEM_COLUMNS = ("session_file", "main_file", "source", "ref_id", "invocations")

_NO_EVIDENCE = (None, None, None)


def row_id(user_id: int, occurred_ms: int | None, identity: str) -> str:
    """A UUID of version 8 in 32 hex digits: 48 bits of milliseconds (0 without a time), then a hash."""
    named = f"{user_id}:{identity}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(named, digest_size=9).hexdigest()
    return f"{occurred_ms or 0:012x}8{digest[:3]}8{digest[3:]}"


def event_id(user_id: int, event: Event) -> str:
    # A command's line uuid and a block's id are different things even where a hostile file makes them equal.
    kind = "command" if event.event_type == "slash_command" else "call"
    return row_id(user_id, event.occurred_ms, f"{kind}:{event.identity}")


def event_rows(
    job: Job, events: Iterable[Event], items: Sequence[Item], version: int, kept: Horizon
) -> Iterator[Row]:
    """One row an event that is kept, in the order of EVENT_COLUMNS."""
    transcript, owner = job.transcript, job.owner
    session = (transcript.session_id, transcript.session_file, transcript.agent_id, owner.pk, owner.email)
    extracted = (version, db_now())
    for event, item in zip(events, items, strict=True):
        if not kept.keeps(event.occurred_ms):
            continue
        yield (
            event_id(owner.pk, event),
            *session,
            event.uuid,
            event.parent_uuid or None,
            event.event_type,
            event.tool_name or None,
            event.skill_name or None,
            event.subagent_type or None,
            event.command_name or None,
            event.invoked_by,
            event.is_builtin,
            event.is_error,
            event.error_kind,
            *item,
            *_evidence(event),
            event.model or None,
            event.cwd or None,
            event.git_branch or None,
            event.version or None,
            db_moment(event.occurred_ms),
            *extracted,
        )


def _evidence(event: Event) -> Iterable[str | None]:
    return event.evidence if event.evidence and event.evidence != OF_NO_PLUGIN else _NO_EVIDENCE


def message_rows(
    job: Job, messages: Iterable[UsageMessage], items: Sequence[Item], kept: Horizon
) -> Iterator[Row]:
    """One row a message that is kept, in the order of MESSAGE_COLUMNS."""
    transcript, user_id = job.transcript, job.owner.pk
    for message, item in zip(messages, items, strict=True):
        if not kept.keeps(message.occurred_ms):
            continue
        yield (
            row_id(user_id, message.occurred_ms, f"message:{message.key}"),
            user_id,
            stored_key(message.key),
            transcript.session_file,
            transcript.agent_id,
            message.model or None,
            message.input_tokens,
            message.output_tokens,
            message.cache_read_tokens,
            message.cache_creation_tokens,
            db_moment(message.occurred_ms),
            message.skill_name or None,
            item.source,
            item.ref_id,
        )


def item_rows(session_file: str, items: Iterable[Item]) -> Iterator[Row]:
    """One row an item that a transcript's events belong to, in the order of ITEM_COLUMNS."""
    used = Counter((item.source, item.ref_id) for item in items if item.ref_id)
    for (source, ref_id), invocations in used.items():
        yield session_file, main_file_of(session_file), source, ref_id, invocations


def stored_key(key: str) -> str:
    """A message key as the database holds it: itself, or its hash where it cannot be stored unchanged."""
    if len(key) <= NAME_CHARACTERS and clean(key) == key:
        return key
    return "hash:" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def summary_row(job: Job, figures: Figures, version: int) -> Row:
    """The summary of a transcript, in the order of SUMMARY_COLUMNS."""
    transcript = job.transcript
    return (
        transcript.session_file,
        transcript.session_id,
        transcript.agent_id,
        job.owner.pk,
        job.owner.email,
        db_moment(figures.started_ms),
        db_moment(figures.ended_ms),
        _seconds(figures.active_ms),
        _seconds(figures.wall_ms),
        figures.human_prompts,
        figures.primary_model or None,
        figures.cwd or None,
        figures.version or None,
        version,
        db_now(),
        *(getattr(figures, name) for name in COUNTERS),
    )


# Columns of the summary that are named as the figure is.
COUNTERS = (
    "programmatic_prompts", "assistant_messages", "tool_calls", "tool_errors", "skill_invocations",
    "subagent_dispatches", "mcp_calls", "slash_commands", "distinct_tools", "distinct_skills", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_creation_tokens", "rejections", "interruptions", "cancelled",
    "unanswered", "api_errors", "api_retries", "server_tool_calls", "builtin_commands", "events",
    "compactions", "lines", "malformed_lines",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "session_file", "session_id", "agent_id", "user_id", "username", "started_at", "ended_at",
    "active_seconds", "wall_seconds", "user_messages", "primary_model", "cwd", "cli_version",
    "processor_version", "extracted_at", *COUNTERS,
)  # fmt: skip


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
