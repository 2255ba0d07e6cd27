"""A person's page, the page of everybody's sessions and the front page: many sessions against 1 000.

python -m benchmarks.sessions FOLDER [--sessions 1000000] [--events-per-session 10]

Both worlds have the same people, of whom some do most of the work. FOLDER keeps them for the next run.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from benchmarks.big_world import InventedDay, make_people, set_up
from benchmarks.marketplace import RUNS, TURNS, Measured, look
from benchmarks.table import print_table

FEW_SESSIONS = 1_000
DAYS = 100
TARGET = "at most 1.5 times, 15 queries"
BROWSER = "/admin/telemetry/session/"
PERSON = "/admin/accounts/user/{person}/change/"
ADDRESSES = (
    BROWSER,
    f"{BROWSER}?errors=on",
    f"{BROWSER}?model=claude-sonnet",
    f"{BROWSER}?project=/home/projects",
    f"{BROWSER}?plugin=market/plugin-1",
    f"{BROWSER}?person={{person}}",
    f"{BROWSER}?person={{person}}&errors=on&model=claude-sonnet&plugin=market/plugin-1",
    PERSON,
    f"{PERSON}?errors=on",
    "/api/admin/users/{person}/sessions",
    "/admin/",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--events-per-session", type=int, default=10)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.folder, options.sessions, options.events_per_session)))
    else:
        compare(options.folder, options.sessions, options.events_per_session)


def compare(folder: Path, sessions: int, events: int) -> None:
    few: Measured = {}
    many: Measured = {}
    for _ in range(TURNS):
        for number, best in ((FEW_SESSIONS, few), (sessions, many)):
            for address, figures in in_a_process(folder / str(number), number, events).items():
                best[address] = min(tuple(figures), best.get(address, (1e9, 0)))
    rows = []
    for address in few:
        (fast, _), (seconds, queries) = few[address], many[address]
        figure = f"{1e3 * seconds:.1f} ms, {seconds / fast:.2f} times, {queries} queries"
        rows.append((address, figure, TARGET))
    print_table(f"{sessions} sessions against {FEW_SESSIONS} (best of {TURNS} times {RUNS})", rows)


def in_a_process(folder: Path, sessions: int, events: int) -> dict[str, Any]:
    """Django is set up once a process."""
    options = [str(folder), "--sessions", str(sessions), "--events-per-session", str(events), "--measure"]
    command = [sys.executable, "-m", "benchmarks.sessions", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(folder: Path, sessions: int, events: int) -> Measured:
    """Seconds and queries by address."""
    set_up(folder)
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    make_people()
    make_sessions(sessions, events)
    # The first has the most sessions.
    person = User.objects.order_by("pk")[0]
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(person)
    addresses = [address.format(person=person.pk) for address in ADDRESSES]
    client.get(addresses[0])
    return {address: look(client, address) for address in addresses}


def make_sessions(sessions: int, events: int) -> None:
    """Spread over the days that end with today, published; nothing where an earlier run made them."""
    from telemetry.days import today
    from telemetry.publishing import publish

    a_day = -(-sessions // DAYS)
    for number in range(DAYS):
        make_day(today() - timedelta(days=number), min(a_day, sessions - number * a_day), events)
    publish()


def make_day(day: date, sessions: int, events: int) -> None:
    from django.db import transaction

    from telemetry.database.bulk import insert_rows
    from telemetry.dirty_days import mark_dirty
    from telemetry.models import (
        SessionProcessorState,
        SessionTranscript,
        SessionTranscriptPart,
        UsageEvent,
        UsageSessionItem,
        UsageSessionSummary,
    )
    from telemetry.processors.usage_rows import EVENT_COLUMNS, ITEM_COLUMNS, SUMMARY_COLUMNS

    # Along an index: looking at all for each day would take longer than making them.
    next_day = datetime.combine(day + timedelta(days=1), time(), UTC)
    began_then = {"listed_at__gte": next_day - timedelta(days=1), "listed_at__lt": next_day}
    of_day = SessionTranscript.objects.filter(agent_id="", **began_then)
    if sessions <= 0 or of_day.exists():
        return
    world = SessionsOfADay(day, sessions, events)
    with transaction.atomic():
        insert_rows(UsageEvent, EVENT_COLUMNS, world.events())
        insert_rows(UsageSessionSummary, SUMMARY_COLUMNS, world.summaries())
        insert_rows(SessionTranscript, TRANSCRIPT_COLUMNS, world.transcripts())
        insert_rows(SessionProcessorState, STATE_COLUMNS, world.states())
        insert_rows(UsageSessionItem, (*ITEM_COLUMNS, "listed_at"), world.used())
        insert_rows(
            SessionTranscriptPart, PART_COLUMNS, world.parts(list(of_day.values_list("pk", flat=True)))
        )
        mark_dirty([day])


TRANSCRIPT_COLUMNS = (
    "session_id", "session_file", "agent_id", "owner_id", "revision", "received_at", "updated_at",
    "listed_at", "is_unsettled",
)  # fmt: skip
STATE_COLUMNS = (
    "processor_name", "session_file", "username", "processed_at", "items_extracted", "revision",
    "processor_version", "attempts",
)  # fmt: skip
PART_COLUMNS = (
    "transcript_id", "raw_bytes", "stored_bytes", "sha256", "superseded", "fingerprint", "received_at",
)  # fmt: skip


class SessionsOfADay(InventedDay):
    """So many, one after another, each with `events` events; as InventedDay, with what lists show."""

    def __init__(self, day: date, sessions: int, events: int) -> None:
        from benchmarks import big_world

        # A day's sessions share its events evenly.
        big_world.EVENTS_A_SESSION = events
        super().__init__(day, sessions * events)
        self.step = 86_400_000 // len(self.sessions)

    def began(self, number: int) -> str:
        from telemetry.database.bulk import db_moment

        return str(db_moment(self.start + number * self.step))

    def summaries(self) -> Iterator[tuple[object, ...]]:
        errors = len(SUMMARY_COLUMNS_BEFORE) + counters().index("tool_errors")
        for number, row in enumerate(super().summaries()):
            values = list(row)
            values[5] = self.began(number)
            values[errors] = int(number % 10 == 0)
            values[10] = "claude-opus" if number % 4 else "claude-sonnet"
            values[11] = f"/home/project-{number % 50}" if number % 50 else "/home/projects"
            yield tuple(values)

    def transcripts(self) -> Iterator[tuple[object, ...]]:
        for number, (session_id, session_file, agent, pk, _email) in enumerate(self.sessions):
            yield session_id, session_file, agent, pk, 1, self.now, self.now, self.began(number), False

    def states(self) -> Iterator[tuple[object, ...]]:
        for _id, session_file, _agent, _pk, email in self.sessions:
            yield "usage", session_file, email, self.now, 1, 1, 1, 1

    def used(self) -> Iterator[tuple[object, ...]]:
        for number, (_id, session_file, *_) in enumerate(self.sessions):
            if number % 5 == 0:
                item = f"market/plugin-{number % 40 // 5}"
                yield session_file, session_file, "curated", item, 3, self.began(number)

    def parts(self, ids: Any) -> Iterator[tuple[object, ...]]:
        for pk in ids:
            yield pk, 500_000, 50_000, f"{pk:064x}", False, b"", self.now


SUMMARY_COLUMNS_BEFORE = range(15)


def counters() -> tuple[str, ...]:
    from telemetry.processors.usage_rows import COUNTERS

    return COUNTERS


if __name__ == "__main__":
    main()
