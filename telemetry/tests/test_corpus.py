"""The reference transcripts: every figure, every event and every digest, in any order of upload.

`cases/` are small invented ones. The real transcripts are other people's and stand beside the repository;
where they do not, their tests are skipped.
"""

import hashlib
import json
import random
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from telemetry.files.storage import read_stored
from telemetry.intake.storing import store_transcript
from telemetry.models import EventType, UsageEvent, UsageMessage, UsageSessionSummary
from telemetry.models import storage_key as key_of
from telemetry.processors.library import Batch, PersonLibrary
from telemetry.processors.runner import run
from telemetry.processors.usage_rows import event_id, row_id
from telemetry.transcripts.extracting import extract
from telemetry.transcripts.figures import digest, primary_model
from telemetry.transcripts.values import iso_ms, timestamp_ms

CASES = Path(__file__).parent / "cases"
REAL = Path(settings.BASE_DIR).parent / "shared" / "corpus"

# Storing and processing open transactions of their own.
pytestmark = pytest.mark.django_db(transaction=True)


# --- what is expected ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reference:
    """What one person uploads, and what must come of it."""

    folder: Path
    expected: dict[str, Any]

    def files(self) -> list[tuple[str, Path]]:
        paths = self.folder.rglob("*.jsonl")
        return sorted((path.relative_to(self.folder).as_posix(), path) for path in paths)


def references_of_cases() -> dict[str, Reference]:
    expected = json.loads((CASES / "expected.json").read_text())
    return {
        f"{user}@{case}.example.com": Reference(CASES / case / user, figures)
        for case, about in expected.items()
        for user, figures in about["users"].items()
    }


@pytest.fixture(scope="session")
def real_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = REAL / "transcripts.tar.xz"
    if not archive.exists():
        pytest.skip("The real transcripts are not on this machine: they are never committed.")
    folder = tmp_path_factory.mktemp("corpus")
    with tarfile.open(archive) as members:
        members.extractall(folder, filter="data")
    return folder


def references_of_real(real_folder: Path) -> dict[str, Reference]:
    expected = json.loads((REAL / "expected.json").read_text())["users"]
    return {
        f"{user}@example.com": Reference(real_folder / user, figures) for user, figures in expected.items()
    }


# --- uploading and processing ----------------------------------------------------------------------


def upload_all(references: dict[str, Reference], *, seed: int, runs: int) -> dict[str, User]:
    """Upload everything in an order of its own, and process it in that many goes."""
    users = {email: User.objects.create_user(email) for email in references}
    uploads = [(email, *file) for email, reference in references.items() for file in reference.files()]
    shuffled = random.Random(seed)
    shuffled.shuffle(uploads)
    stops = {len(uploads), *shuffled.sample(range(1, len(uploads)), runs - 1)}
    for done, (email, name, path) in enumerate(uploads, start=1):
        stored = store_transcript(users[email], chunks_of(path), uploaded_name=name)
        assert stored.status.is_stored, f"{email} {name}: {stored.status}"
        if done in stops:
            report = run("usage")
            assert report.failures == []
    return users


def chunks_of(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            yield chunk


# --- what the tables say ---------------------------------------------------------------------------

SUMS = (
    "lines", "malformed_lines", "events", "tool_calls", "mcp_calls", "subagent_dispatches", "slash_commands",
    "builtin_commands", "skill_invocations", "tool_errors", "rejections", "cancelled", "unanswered",
    "programmatic_prompts", "api_errors", "api_retries", "interruptions", "compactions", "server_tool_calls",
    "assistant_messages", "input_tokens", "output_tokens",
)  # fmt: skip
RENAMED = {
    "human_prompts": "user_messages",
    "cache_creation_input_tokens": "cache_creation_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
}
OWN_COLUMNS = ("session_id", "agent_id", "primary_model")
DISTINCT = ("distinct_tools", "distinct_skills")
TOOL_ERRORS = ("exit_code", "tool_error", "other")


class Tables:
    """The rows of one person, by transcript."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.summaries = list(UsageSessionSummary.objects.filter(user=user))
        self.events: dict[str, list[UsageEvent]] = defaultdict(list)
        self.messages: dict[str, list[UsageMessage]] = defaultdict(list)
        for event in UsageEvent.objects.filter(user=user):
            self.events[event.session_file].append(event)
        for message in UsageMessage.objects.filter(user=user):
            self.messages[message.session_file].append(message)

    def figures_of(self, summary: UsageSessionSummary) -> dict[str, Any]:
        """Those of the summary; they must be what its events and messages give."""
        figures = summed([summary]) | {name: getattr(summary, name) or "" for name in OWN_COLUMNS}
        figures |= {name: getattr(summary, name) for name in DISTINCT}
        counted = figures_of_events(self.events[summary.session_file])
        counted |= figures_of_messages(self.messages[summary.session_file])
        for name in figures.keys() & counted.keys():
            assert figures[name] == counted[name], f"{summary}: {name}"
        return counted | figures

    def totals(self) -> dict[str, Any]:
        main = [summary for summary in self.summaries if not summary.agent_id]
        totals = summed(self.summaries) | {"transcripts": len(self.summaries), "main_transcripts": len(main)}
        for name in ("wall_seconds", "active_seconds"):
            totals[name] = summed(main)[name]
        totals |= figures_of_events(event for events in self.events.values() for event in events)
        return totals | figures_of_messages(
            message for messages in self.messages.values() for message in messages
        )


def summed(summaries: list[UsageSessionSummary]) -> dict[str, Any]:
    names = {name: name for name in SUMS} | RENAMED
    figures: dict[str, Any] = {
        name: sum(getattr(summary, column) for summary in summaries) for name, column in names.items()
    }
    starts = [summary.started_at for summary in summaries if summary.started_at]
    ends = [summary.ended_at for summary in summaries if summary.ended_at]
    return figures | {
        "wall_seconds": float(sum(summary.wall_seconds for summary in summaries)),
        "active_seconds": float(sum(summary.active_seconds for summary in summaries)),
        "started_at": iso(min(starts, default=None)),
        "ended_at": iso(max(ends, default=None)),
    }


def figures_of_events(events: Iterable[UsageEvent]) -> dict[str, Any]:
    rows = list(events)
    calls = [row for row in rows if row.event_type != EventType.SLASH_COMMAND]
    commands = [row for row in rows if row.event_type == EventType.SLASH_COMMAND]
    skills = [row for row in rows if row.skill_name and row.is_error is False]
    subagents = [row for row in rows if row.event_type == EventType.SUBAGENT]
    kinds = Counter(row.error_kind for row in calls if row.error_kind != "none")
    by_tool = Counter(row.tool_name for row in calls)
    by_skill = Counter(row.skill_name for row in skills)
    return {
        "events": len(rows),
        "tool_calls": len(calls),
        "mcp_calls": sum(row.event_type == EventType.MCP_CALL for row in rows),
        "subagent_dispatches": len(subagents),
        "slash_commands": len(commands),
        "builtin_commands": sum(row.is_builtin for row in rows),
        "skill_invocations": len(skills),
        "tool_errors": sum(kinds[kind] for kind in TOOL_ERRORS),
        "rejections": kinds["rejected"],
        "cancelled": kinds["cancelled"],
        "unanswered": sum(row.is_error is None for row in rows),
        "distinct_tools": len(by_tool),
        "distinct_skills": len(by_skill),
        "by_tool": dict(by_tool),
        "by_skill": dict(by_skill),
        "by_subagent": dict(Counter(row.subagent_type for row in subagents)),
        "by_command": dict(Counter(row.command_name for row in commands)),
        "by_error_kind": dict(kinds),
    }


def figures_of_messages(messages: Iterable[UsageMessage]) -> dict[str, Any]:
    by_model: dict[str, Counter[str]] = defaultdict(Counter)
    for message in messages:
        by_model[message.model or ""].update(
            messages=1,
            input_tokens=message.input_tokens,
            output_tokens=message.output_tokens,
            cache_creation_input_tokens=message.cache_creation_tokens,
            cache_read_input_tokens=message.cache_read_tokens,
        )
    counts = {model: figures["messages"] for model, figures in by_model.items()}
    return {
        "by_model": {model: dict(figures) for model, figures in by_model.items()},
        "primary_model": primary_model(counts),
    }


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_ms(round(moment.timestamp() * 1000))


def digest_of(rows: Iterable[UsageEvent], identities: dict[str, str]) -> str:
    lines = sorted(
        "\t".join(
            (
                identities[row.id.hex],
                row.event_type,
                (row.command_name if row.event_type == EventType.SLASH_COMMAND else row.tool_name) or "",
                row.error_kind,
                iso(row.occurred_at) or "-",
            )
        )
        for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# --- and what the stored files say -----------------------------------------------------------------


class StoredFiles:
    """A person's transcripts, read again without the tables of usage."""

    def __init__(self, user: User) -> None:
        library = PersonLibrary(user.pk)
        batch = Batch(library.ordered, library.ordered)
        self.identities: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self.copied_records: dict[str, int] = {}
        for known in library.ordered:
            parts = [list(read_stored(key_of(user.pk, sha256))) for sha256 in known.parts]
            foreign = batch.foreign_to(known)
            _, _, agent_id = known.owner_key
            events = extract(parts, agent_id=agent_id, foreign=foreign).events
            self.identities |= {event_id(user.pk, event): event.identity for event in events}
            self.digests[known.session_file] = digest(events)
            self.copied_records[known.session_file] = len(foreign.records)


# --- comparing -------------------------------------------------------------------------------------


def assert_meets(user: User, reference: Reference) -> None:
    tables, stored = Tables(user), StoredFiles(user)
    expected = {
        (wanted["session_id"], wanted["agent_id"]): wanted for wanted in reference.expected["transcripts"]
    }
    assert {(summary.session_id, summary.agent_id) for summary in tables.summaries} == expected.keys()
    for summary in tables.summaries:
        figures = tables.figures_of(summary)
        figures["copied_records"] = stored.copied_records[summary.session_file]
        figures["digest"] = digest_of(tables.events[summary.session_file], stored.identities)
        assert figures["digest"] == stored.digests[summary.session_file]
        assert_figures(figures, expected[summary.session_id, summary.agent_id], f"{user} {summary}")
    totals = tables.totals() | {"copied_records": sum(stored.copied_records.values())}
    assert_figures(totals, reference.expected["totals"], f"{user}")
    rows = [row for events in tables.events.values() for row in events]
    assert digest_of(rows, stored.identities) == reference.expected["digest"]


def assert_figures(figures: dict[str, Any], expected: dict[str, Any], whose: str) -> None:
    wanted = {name: value for name, value in expected.items() if name != "files"}
    assert {name: figures[name] for name in wanted} == wanted, whose


def expected_events() -> dict[str, list[dict[str, Any]]]:
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (REAL / "expected_events.jsonl").read_text().splitlines():
        event = json.loads(line)
        by_user[event.pop("user")].append(event)
    return by_user


SAME_NAME = (
    "session_id", "agent_id", "model", "cwd", "git_branch", "event_type", "tool_name", "skill_name",
    "subagent_type", "command_name", "invoked_by", "is_error", "error_kind", "is_builtin",
)  # fmt: skip


def as_expected(row: UsageEvent) -> dict[str, Any]:
    """A row in the form of expected_events.jsonl, without its identity."""
    fields = {name: getattr(row, name) for name in SAME_NAME}
    fields |= {"version": row.cli_version, "occurred_at": iso(row.occurred_at)}
    return {name: "" if value is None and name != "is_error" else value for name, value in fields.items()}


def row_id_of(user: User, event: dict[str, Any]) -> str:
    kind = "command" if event["event_type"] == EventType.SLASH_COMMAND else "call"
    return row_id(user.pk, timestamp_ms(event["occurred_at"]), f"{kind}:{event['id']}")


# --- tests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "runs"), [(1, 1), (2, 5), (3, 20)])
def test_the_cases_are_met_in_any_order(seed: int, runs: int):
    references = references_of_cases()
    users = upload_all(references, seed=seed, runs=runs)
    for email, reference in references.items():
        assert_meets(users[email], reference)


@pytest.mark.parametrize(("seed", "runs"), [(1, 1), (2, 3)])
def test_the_real_transcripts_are_met_in_any_order(real_folder: Path, seed: int, runs: int):
    references = references_of_real(real_folder)
    users = upload_all(references, seed=seed, runs=runs)
    for email, reference in references.items():
        assert_meets(users[email], reference)
    for name, events in expected_events().items():
        user = users[f"{name}@example.com"]
        rows = {row.id.hex: as_expected(row) for row in UsageEvent.objects.filter(user=user)}
        wanted = {row_id_of(user, event): event for event in events}
        assert len(wanted) == len(events)
        assert rows.keys() == wanted.keys()
        for id_, event in wanted.items():
            assert rows[id_] == {name: value for name, value in event.items() if name != "id"}
