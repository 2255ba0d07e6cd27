"""Ten invented transcripts, uploaded over HTTP and processed by the command: each row is as written by hand.

`ten/<case>/expected.json` names only what differs from the defaults below.
"""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.test import Client

from accounts.models import Scope, User
from telemetry.models import (
    AgentAttribution,
    CommandAttribution,
    McpServerAttribution,
    SessionProcessorState,
    SessionTranscript,
    SkillAttribution,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
)
from telemetry.transcripts.values import iso_ms

TEN = Path(__file__).parent / "ten"
CASES = sorted(path.parent.name for path in TEN.glob("*/expected.json"))
MODEL = "claude-test-1"
ATTRIBUTION: dict[str, type[models.Model]] = {
    "skills": SkillAttribution,
    "commands": CommandAttribution,
    "agents": AgentAttribution,
    "mcp_servers": McpServerAttribution,
}

EVENT: dict[str, Any] = {
    "agent_id": "", "event_type": "tool_use", "tool_name": None, "skill_name": None, "subagent_type": None,
    "command_name": None, "invoked_by": "model", "is_builtin": False, "is_error": False, "error_kind": "none",
    "source": "builtin", "ref_id": None, "component_kind": None, "component_name": None,
    "evidence_marketplace": None, "evidence_plugin": None, "evidence_version": None, "model": MODEL,
    "cwd": "/home/kim/shop", "git_branch": "main", "cli_version": "2.1.220", "processor_version": 1,
}  # fmt: skip
MESSAGE: dict[str, Any] = {
    "agent_id": "", "model": MODEL, "skill_name": None, "source": "builtin", "ref_id": None,
}  # fmt: skip
SUMMARY: dict[str, Any] = {
    "agent_id": "", "primary_model": MODEL, "cwd": "/home/kim/shop", "cli_version": "2.1.220",
    "processor_version": 1,
} | dict.fromkeys(
    (
        "user_messages", "programmatic_prompts", "assistant_messages", "tool_calls", "tool_errors",
        "skill_invocations", "subagent_dispatches", "mcp_calls", "slash_commands", "distinct_tools",
        "distinct_skills", "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens",
        "rejections", "interruptions", "cancelled", "unanswered", "api_errors", "api_retries",
        "server_tool_calls", "builtin_commands", "events", "compactions", "lines", "malformed_lines",
        "active_seconds", "wall_seconds",
    ),
    0,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def upload(client: Client, bob: User, token_for: Callable[..., str]) -> Callable[[Path], Any]:
    token = token_for(bob, Scope.UPLOAD)

    def post(path: Path) -> Any:
        return client.post(
            "/api/upload/sessions",
            path.read_bytes(),
            content_type="application/x-ndjson",
            headers={"authorization": f"Bearer {token}"},
        )

    return post


def test_there_are_ten():
    assert len(CASES) == 10


@pytest.mark.parametrize("case", CASES)
def test_its_rows_are_as_written(case: str, upload: Callable[[Path], Any], bob: User):
    expected = json.loads((TEN / case / "expected.json").read_text())
    plant(expected["attribution"])
    for step in expected["uploads"]:
        assert_answer(upload(TEN / case / step["file"]), step)
        call_command("process_sessions", verbosity=0)
    session = {"user_id": bob.pk, "session_id": case.replace("_", "-"), "username": bob.email}
    assert_rows(UsageEvent, [EVENT | session | row for row in expected["events"]])
    assert_rows(UsageMessage, [MESSAGE | {"user_id": bob.pk} | row for row in expected["messages"]])
    assert_rows(UsageSessionSummary, [SUMMARY | session | row for row in expected["summaries"]])
    assert not SessionProcessorState.objects.filter(processor_name="usage", last_error__isnull=False).exists()


def test_a_live_file_counts_before_it_has_grown(upload: Callable[[Path], Any]):
    upload(TEN / "re_grown" / "beginning.jsonl")
    call_command("process_sessions", verbosity=0)
    assert UsageEvent.objects.get().is_error is None
    assert UsageMessage.objects.get().output_tokens == 30
    summary = UsageSessionSummary.objects.get()
    assert (summary.lines, summary.unanswered, summary.user_messages) == (3, 1, 1)


def test_a_refused_file_leaves_nothing(upload: Callable[[Path], Any], own_data_folder: Path):
    answer = upload(TEN / "empty" / "empty.jsonl")
    assert answer.json()["error"]["message"] == "Not a transcript: the file is empty."
    assert not SessionTranscript.objects.exists()
    assert not [path for path in own_data_folder.rglob("*.zst*") if path.is_file()]


def plant(rows: Iterable[dict[str, Any]]) -> None:
    """Attribution rows, as a marketplace writes them."""
    for row in rows:
        ATTRIBUTION[row.pop("table")]._default_manager.create(**row)


def assert_answer(answer: Any, step: dict[str, Any]) -> None:
    body = answer.json()
    said = body["error"]["code"] if "error" in body else body["status"]
    assert (answer.status_code, said) == (step["status"], step["answer"]), body
    assert len(body.get("warnings", [])) == step.get("warnings", 0), body


def assert_rows(model: type[models.Model], expected: list[dict[str, Any]]) -> None:
    """Exactly these rows, in any order; columns that are not named may hold anything."""
    names = expected[0].keys() if expected else ()
    rows = [{name: plain(getattr(row, name)) for name in names} for row in model._default_manager.all()]
    assert sorted(rows, key=json.dumps) == sorted(
        [{name: row[name] for name in names} for row in expected], key=json.dumps
    )


def plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    if hasattr(value, "timestamp"):
        return iso_ms(round(value.timestamp() * 1000))
    return value
