"""Transcripts and rows for tests that look at them."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from telemetry.intake.storing import store_transcript
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    SessionTranscriptPart,
    UsageComponentDaily,
    UsageDaily,
    UsageEvent,
    UsageMessage,
    UsagePluginDaily,
    UsagePluginWindow,
    UsageSessionSummary,
    UsageToolDaily,
    UsageUserDaily,
)
from telemetry.processors.usage_rows import COUNTERS, row_id
from telemetry.tests.builders import Line, transcript_bytes

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)


def store(owner: User, *lines: Line | str) -> SessionTranscript:
    """A transcript that can be processed, as an upload stores it."""
    return store_transcript(owner, [transcript_bytes(lines)]).transcript


def plant_transcript(owner: User, session_id: str = "s1", **fields: Any) -> SessionTranscript:
    """Only the rows: its file is missing, so processing it fails."""
    now = timezone.now()
    values = {"session_file": f"u{owner.pk}_{session_id}.jsonl", "received_at": now, "updated_at": now}
    transcript = SessionTranscript.objects.create(owner=owner, session_id=session_id, **{**values, **fields})
    SessionTranscriptPart.objects.create(
        transcript=transcript,
        raw_bytes=12_345,
        stored_bytes=2_345,
        sha256="a" * 64,
        fingerprint=b"",
        received_at=now,
    )
    return transcript


def plant_state(transcript: SessionTranscript, name: str = "usage", **fields: Any) -> SessionProcessorState:
    """Done, unless the fields say otherwise."""
    values = {
        "processed_at": timezone.now(),
        "revision": transcript.revision,
        "processor_version": 1,
        "attempts": 1,
        "username": transcript.owner.email,
    }
    return SessionProcessorState.objects.create(
        processor_name=name, session_file=transcript.session_file, **{**values, **fields}
    )


def plant_event(transcript: SessionTranscript, identity: str = "call", **fields: Any) -> UsageEvent:
    at: datetime | None = fields.get("occurred_at", AT)
    values = {
        "id": _row_id(transcript, at, identity),
        "event_uuid": identity,
        "event_type": "tool_use",
        "tool_name": "Bash",
        "invoked_by": "model",
        "is_error": False,
        "occurred_at": at,
        "processor_version": 1,
        "extracted_at": timezone.now(),
    }
    return UsageEvent.objects.create(**{**_whose(transcript), **values, **fields})


def plant_message(transcript: SessionTranscript, message_id: str = "msg_1", **fields: Any) -> UsageMessage:
    at: datetime | None = fields.get("occurred_at", AT)
    values = {
        "id": _row_id(transcript, at, message_id),
        "user": transcript.owner,
        "message_id": message_id,
        "session_file": transcript.session_file,
        "input_tokens": 1_234_567,
        "output_tokens": 20,
        "cache_read_tokens": 0,
        "cache_creation_tokens": 0,
        "occurred_at": at,
    }
    return UsageMessage.objects.create(**{**values, **fields})


def plant_summary(transcript: SessionTranscript, **fields: Any) -> UsageSessionSummary:
    values = {
        **dict.fromkeys(COUNTERS, 0),
        "started_at": AT,
        "active_seconds": 11_520,
        "wall_seconds": 20_000,
        "user_messages": 3,
        "processor_version": 1,
        "extracted_at": timezone.now(),
    }
    return UsageSessionSummary.objects.create(**{**_whose(transcript), **values, **fields})


def plant_rollups(person: User) -> list[Model]:
    """One row of each table."""
    item = {"source": "curated", "ref_id": "market/tidy"}
    by_day = {"day": AT.date(), "invocations": 12_345}
    return [
        UsageToolDaily.objects.create(tool_name="Bash", source="builtin", **by_day),
        UsagePluginDaily.objects.create(**item, **by_day),
        UsageComponentDaily.objects.create(component_kind="skill", component_name="clean", **item, **by_day),
        UsageDaily.objects.create(day=AT.date(), people=1, invocations_builtin=12_345),
        UsageUserDaily.objects.create(user=person, tool_name="Bash", **item, **by_day),
        UsagePluginWindow.objects.create(
            period="7d", invocations=12_345, distinct_users=1, refreshed_at=AT, **item
        ),
    ]


def _row_id(transcript: SessionTranscript, at: datetime | None, identity: str) -> str:
    return row_id(transcript.owner_id, int(at.timestamp() * 1000) if at else None, identity)


def _whose(transcript: SessionTranscript) -> dict[str, Any]:
    return {
        "session_id": transcript.session_id,
        "session_file": transcript.session_file,
        "agent_id": transcript.agent_id,
        "user": transcript.owner,
        "username": transcript.owner.email,
    }
