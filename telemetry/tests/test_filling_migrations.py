"""Migrations that fill new columns and tables from stored rows: as if processing had written them."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F

from accounts.models import User
from telemetry.models import SessionProcessorState, SessionTranscript, UsageSessionItem
from telemetry.processors.registry import PROCESSORS
from telemetry.processors.runner import run
from telemetry.tests.builders import (
    Line,
    assistant_line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.figures import upload
from telemetry.tests.planting import plant_state, plant_transcript
from telemetry.tests.test_reattribution import KIT, tell

BEFORE_SESSIONS = "0005_worker_heartbeats"
ITEM = ("session_file", "main_file", "source", "ref_id", "invocations", "listed_at")


def upload_session(owner: User, name: str, *lines: Any, **fields: Any) -> None:
    upload(owner, transcript_bytes([{**line, "sessionId": name, **fields} for line in lines]))


def answered(*calls: Line) -> list[Line]:
    """Each call, and its result after it."""
    results = (user_line(tool_result(call["message"]["content"][0]["id"])) for call in calls)
    return [line for pair in zip(calls, results, strict=True) for line in pair]


@pytest.fixture
def world(bob: User) -> None:
    """Items used by main transcripts and by a subagent whose main transcript is not there, a fork, and what
    is not done."""
    tell(skills=KIT)
    begun = user_line(timestamp=moment(0), uuid="shared")
    calls = (assistant_line(tool_use("Skill", skill="kit:rows")) for _ in range(2))
    upload_session(bob, "first", begun, *answered(*calls))
    upload_session(bob, "fork", begun, assistant_line(timestamp=moment(900)))
    call = assistant_line(tool_use("Skill", skill="rows"))
    upload_session(bob, "agents", user_line(), *answered(call), agentId="a_1", isSidechain=True)
    upload_session(bob, "timeless", {**user_line(), "timestamp": None})
    for name in PROCESSORS:
        run(name)
    upload_session(bob, "waits", user_line(timestamp=moment(7)))
    for attempts in (2, 3):
        transcript = plant_transcript(bob, f"failed-{attempts}")
        for name in PROCESSORS:
            plant_state(transcript, name, processed_at=None, attempts=attempts)
    failed = SessionTranscript.objects.filter(session_id__startswith="failed")
    failed.update(listed_at=F("received_at"))
    failed.filter(session_id="failed-3").update(is_unsettled=False)


def stored() -> dict[str, list[Any]]:
    transcripts = SessionTranscript.objects.order_by("session_id", "agent_id")
    return {
        "items": sorted(UsageSessionItem.objects.values_list(*ITEM)),
        "sessions": list(transcripts.values_list("session_id", "agent_id", "listed_at", "is_unsettled")),
    }


@pytest.mark.django_db(transaction=True)
def test_rows_of_before_are_as_processing_writes_them(world: None):
    as_processed = stored()
    assert [row[-2] for row in as_processed["items"]] == [1, 2]
    assert [row[-1] is None for row in as_processed["items"]] == [True, False]
    assert [row[0] for row in as_processed["sessions"] if row[-1]] == ["failed-2", "waits"]
    assert SessionProcessorState.objects.filter(processed_at__isnull=False).count() == 8
    assert as_processed["sessions"][0][:2] == ("agents", "a_1")
    try:
        call_command("migrate", "telemetry", BEFORE_SESSIONS, verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert stored() == as_processed
