"""Every list of telemetry's admin with a million rows: walked along an index, shown in half a second.

Prints what each page took.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client

from accounts.models import User
from telemetry.database.bulk import Row, db_moment, insert_rows
from telemetry.days import date_of, day_number
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
    UsageToolDaily,
    UsageUserDaily,
    VerificationFinding,
)
from telemetry.processors.usage_rows import (
    COUNTERS,
    EVENT_COLUMNS,
    MESSAGE_COLUMNS,
    SUMMARY_COLUMNS,
    row_id,
)
from telemetry.rollups.base import TOKENS

ROWS = 1_000_000
PEOPLE = 200
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
STEP_MS = 20_000  # a million steps are 231 days
A_DAY = "since=2026-05-01&until=2026-05-01"
TARGET_SECONDS = 0.5

LISTS: dict[type[Model], list[str]] = {
    UsageEvent: [
        "",
        "event_type=tool_use",
        "event_type=mcp_call",
        "event_type=subagent",
        "source=builtin",
        "source=curated",
        "source=flea",
        "error_kind=none",
        "error_kind=exit_code",
        "error_kind=cancelled",
        "person={person}",
        "person={person}&event_type=tool_use",
        "person={person}&event_type=subagent",
        "person={person}&error_kind=cancelled",
        A_DAY,
        f"{A_DAY}&error_kind=exit_code",
        f"{A_DAY}&source=curated",
        f"{A_DAY}&person={{person}}",
        "event_type=mcp_call&error_kind=rejected",
        "event_type=subagent&source=flea",
        "q=person7@example.com",
        "q=session-77",
        "q=u{person}_session",
        "p=50",
    ],
    UsageMessage: ["", A_DAY, "q=session-77"],
    UsageSessionSummary: ["", A_DAY, "person={person}", f"{A_DAY}&person={{person}}", "q=session-77"],
    SessionTranscript: [
        "",
        A_DAY,
        "person={person}",
        "usage=done",
        "usage=failed",
        "usage=given_up",
        "usage=waiting",
        "verification=waiting",
        "person={person}&usage=waiting",
        f"{A_DAY}&usage=waiting",
        "q=session-77",
        "q=u{person}_session-7",
        "q=person7@example.com",
    ],
    SessionProcessorState: ["", "state=usage-failed", "state=usage-given_up", "q=session-77"],
    UsageToolDaily: ["", A_DAY],
    UsageUserDaily: ["", A_DAY, "person={person}", f"{A_DAY}&person={{person}}", "q=person7@example.com"],
    VerificationFinding: ["", "kind=unknown_key", "kind=clock_skew", "kind=unknown_key&detail=key7"],
}
# These put only the few rows in order that they have found.
LEAD_TO_FEW = re.compile("q=|state=|usage=failed|usage=given_up|waiting")


def ms(number: int) -> int:
    return int(FIRST.timestamp() * 1000) + number * STEP_MS


def user_of(number: int, people: list[int]) -> int:
    """Most is done by few."""
    return people[int((number * 7919 % 10_007 / 10_007) ** 2 * len(people))]


class World:
    def __init__(self) -> None:
        for number in range(PEOPLE):
            User.objects.create_user(f"person{number}@example.com")
        self.people = list(User.objects.order_by("pk").values_list("pk", flat=True))

    def load(self) -> None:
        insert_rows(UsageEvent, EVENT_COLUMNS, self.rows(EVENT_COLUMNS, self.event))
        insert_rows(UsageMessage, MESSAGE_COLUMNS, self.rows(MESSAGE_COLUMNS, self.message))
        insert_rows(UsageSessionSummary, SUMMARY_COLUMNS, self.rows(SUMMARY_COLUMNS, self.summary))
        transcript = (
            "owner_id", "session_id", "agent_id", "session_file", "revision", "received_at", "updated_at",
            "is_unsettled",
        )  # fmt: skip
        insert_rows(SessionTranscript, transcript, self.rows(transcript, self.transcript))
        state = (
            "processor_name", "session_file", "username", "processed_at", "items_extracted", "revision",
            "processor_version", "attempts", "last_error",
        )  # fmt: skip
        insert_rows(SessionProcessorState, state, self.rows(state, self.state))
        insert_rows(SessionProcessorState, state, self.rows(state, self.verification_state))
        finding = ("session_file", "kind", "detail", "count")
        insert_rows(VerificationFinding, finding, self.rows(finding, self.finding))
        tool_daily = (
            "day", "tool_name", "source", "invocations", "error_count", "distinct_users", "distinct_sessions",
        )  # fmt: skip
        insert_rows(UsageToolDaily, tool_daily, self.rows(tool_daily, self.rollup))
        user_daily = (
            "day",
            "user_id",
            "tool_name",
            "source",
            "ref_id",
            "invocations",
            "error_count",
            *TOKENS,
        )
        insert_rows(UsageUserDaily, user_daily, self.rows(user_daily, self.rollup))
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # autovacuum does it on a real server
                cursor.execute("ANALYZE")

    def rows(self, columns: tuple[str, ...], make: Any) -> Iterator[Row]:
        for number in range(ROWS):
            values = make(number)
            yield tuple(values.get(column) for column in columns)

    def whose(self, session: int) -> dict[str, Any]:
        user_id = user_of(session, self.people)
        return {
            "user_id": user_id,
            "username": f"person{self.people.index(user_id)}@example.com",
            "session_id": f"session-{session}",
            "session_file": f"u{user_id}_session-{session}.jsonl",
            "agent_id": "",
        }

    def event(self, number: int) -> dict[str, Any]:
        whose = self.whose(number // 75)
        rare = number % 1000
        return {
            **whose,
            "id": row_id(whose["user_id"], ms(number), str(number)),
            "event_uuid": str(number),
            "event_type": "mcp_call" if rare < 100 else "subagent" if rare < 101 else "tool_use",
            "tool_name": "Bash",
            "invoked_by": "model",
            "is_builtin": False,
            "is_error": False,
            "error_kind": "exit_code" if number % 30 == 0 else "cancelled" if rare == 999 else "none",
            "source": "curated" if number % 5 == 0 else "flea" if rare == 777 else "builtin",
            "ref_id": f"market/{number % 40}" if number % 5 == 0 else None,
            "occurred_at": db_moment(ms(number)),
            "processor_version": 1,
            "extracted_at": db_moment(ms(number)),
        }

    def message(self, number: int) -> dict[str, Any]:
        tokens = dict.fromkeys(
            ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens"), 9
        )
        whose = self.whose(number // 75)
        key = f"msg_{number}"
        at = db_moment(ms(number))
        id = row_id(whose["user_id"], ms(number), key)
        return {**whose, **tokens, "id": id, "message_id": key, "source": "builtin", "occurred_at": at}

    def summary(self, number: int) -> dict[str, Any]:
        seconds = {"active_seconds": "60.000", "wall_seconds": "90.000", "user_messages": 3}
        at = {"started_at": db_moment(ms(number)), "extracted_at": db_moment(ms(number))}
        counters = dict.fromkeys(COUNTERS, 7)
        return {**self.whose(number), **seconds, **at, **counters, "processor_version": 1}

    def transcript(self, number: int) -> dict[str, Any]:
        whose = self.whose(number)
        at = {"received_at": db_moment(ms(number)), "updated_at": db_moment(ms(number))}
        is_unsettled = number >= ROWS - 10 or self.failed(number)
        return {**whose, **at, "owner_id": whose["user_id"], "revision": 1, "is_unsettled": is_unsettled}

    def state(self, number: int) -> dict[str, Any]:
        """Done but for one in ten thousand that failed or was given up; the newest ten have no state yet."""
        failed = self.failed(number)
        return {
            **self.whose(number),
            "session_file": self.whose(number)["session_file"] if number < ROWS - 10 else f"gone-{number}",
            "processor_name": "usage",
            "processed_at": None if failed else db_moment(ms(number)),
            "items_extracted": 7,
            "revision": 1,
            "processor_version": 1,
            "attempts": number % 3 + 1 if failed else 1,
            "last_error": "ValueError: no" if failed else None,
        }

    def verification_state(self, number: int) -> dict[str, Any]:
        done = {"processed_at": db_moment(ms(number)), "attempts": 1, "last_error": None}
        return {**self.state(number), **done, "processor_name": "verification"}

    def failed(self, number: int) -> bool:
        return number % 10_000 == 5

    def finding(self, number: int) -> dict[str, Any]:
        kind = "clock_skew" if number % 1000 == 1 else "unknown_key"
        return {**self.whose(number), "kind": kind, "detail": f"key{number % 30}", "count": number % 9 + 1}

    def rollup(self, number: int) -> dict[str, Any]:
        item = {"source": "curated", "ref_id": "market/tidy", "tool_name": f"tool {number}"}
        figures = {"invocations": number % 97, "error_count": 1, "distinct_users": 1, "distinct_sessions": 1}
        day = {"day": str(date_of(day_number(ms(number))))}
        return {**self.whose(number), **day, **item, **figures, **dict.fromkeys(TOKENS, 7)}


class Plans:
    """The plan of every query that puts rows of a list in order, with the parameters it was asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "ORDER BY" in sql and "LIMIT" in sql and "GROUP BY" not in sql:
            self.asked.append((sql, params))
        return execute(sql, params, many, context)

    def of_table(self, table: str) -> list[str]:
        asked = [(sql, params) for sql, params in self.asked if f'FROM "{table}"' in sql]
        return [explain(sql, params) for sql, params in asked]


def explain(sql: str, params: Any) -> str:
    words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{words} {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def reads_all(plan: str, table: str) -> bool:
    """Whether the plan sorts what it read, or reads the table without an index to stop early by."""
    if connection.vendor == "postgresql":
        return bool(re.search(rf"Seq Scan on {table}|(?<!Incremental )Sort  ", plan))
    return "TEMP B-TREE FOR ORDER BY" in plan


@dataclass(frozen=True)
class Visit:
    """One list page: how long it took, and the plans of what it listed."""

    address: str
    query: str
    seconds: float
    table: str
    plans: list[str]

    @property
    def complaint(self) -> str:
        sorts = not LEAD_TO_FEW.search(self.query) and any(reads_all(plan, self.table) for plan in self.plans)
        if not sorts and self.seconds <= TARGET_SECONDS:
            return ""
        return "\n".join([f"{self.seconds:.3f} s {self.address}", *self.plans])


def visit(client: Client, model: type[Model], query: str) -> Visit:
    address = f"/admin/telemetry/{model._meta.model_name}/?{query}"
    asked = Plans()
    with connection.execute_wrapper(asked):
        started = perf_counter()
        answer = client.get(address)
        seconds = perf_counter() - started
    assert answer.status_code == 200, address
    table = model._meta.db_table
    return Visit(address, query, seconds, table, asked.of_table(table))


@pytest.mark.slow
@pytest.mark.django_db
def test_every_list_is_quick(alice: User, capsys: pytest.CaptureFixture[str]):
    world = World()
    world.load()
    client = Client()
    client.force_login(alice)
    client.get("/admin/")
    visits = []
    for model, queries in LISTS.items():
        for query in queries:
            visits.append(visit(client, model, query.format(person=world.people[7])))
            with capsys.disabled():
                print(f"{visits[-1].seconds:7.3f} s  {visits[-1].address}")
    complaints = [it.complaint for it in visits if it.complaint]
    assert not complaints, "\n\n".join(complaints)
