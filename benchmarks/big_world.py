"""A database and a lake of millions of events, made by script and kept in a folder for the next run.

python -m benchmarks.big_world FOLDER --events 10000000
"""

import argparse
import os
import random
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

EVENTS_A_DAY = 200_000
EVENTS_A_SESSION = 150
EVENTS_A_MESSAGE = 4
PEOPLE = 300
FAR_BACK = 500
MS_PER_DAY = 86_400_000

# How often each is used, roughly as in real transcripts.
TOOLS = {
    "Bash": 34, "Read": 26, "Edit": 15, "Grep": 8, "Write": 4, "Glob": 4, "TodoWrite": 4, "Skill": 2,
    "WebFetch": 1, "Task": 1, "mcp__github__search": 1,
}  # fmt: skip
ERRORS = {"none": 93, "exit_code": 4, "tool_error": 2, "rejected": 1}
MODELS = {"claude-sonnet": 70, "claude-opus": 25, "claude-haiku": 5}
Items = Sequence[tuple[str, str]]
ITEMS: Items = [("curated", f"market/plugin-{number}") for number in range(40)] + [
    ("flea", f"entity-{number}") for number in range(20)
]
ITEM_SHARE = 0.08


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    options = parser.parse_args()
    big_world(options.folder, options.events)


def big_world(folder: Path, events: int, *, a_day: int = EVENTS_A_DAY, items: Items = ITEMS) -> None:
    """Set Django up on `folder`, with at least so many events in its database, published to its lake.

    `items` share a small part of them. What an earlier run made there is kept. Once a process, as Django is
    set up once.
    """
    set_up(folder)
    from telemetry.days import DayRange
    from telemetry.publishing import publish
    from telemetry.rollups.rebuilding import rows_on

    make_people()
    for number, day in enumerate(days_of_world(events, a_day)):
        if rows_on(DayRange(day, day), at_most=1):
            continue
        started = time.perf_counter()
        add_day(day, min(a_day, events - number * a_day), items)
        print(f"{day}: {time.perf_counter() - started:.1f} s", flush=True)
    started = time.perf_counter()
    publish()
    print(f"published in {time.perf_counter() - started:.1f} s", flush=True)


def set_up(folder: Path) -> None:
    """Django on this data folder, with SQLite and the lake in it."""
    for name in ("DATABASE_URL", "AGNES_LAKE_URL"):
        os.environ.pop(name, None)
    os.environ |= {"AGNES_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "agnes.settings"}
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    folder.mkdir(parents=True, exist_ok=True)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def days_of_world(events: int, a_day: int = EVENTS_A_DAY) -> list[date]:
    """The newest first, one after another; the last one lies far back, where no window reaches."""
    count = -(-events // a_day)
    newest = newest_day()
    far = [newest - timedelta(days=FAR_BACK)] if count > 1 else []
    return [newest - timedelta(days=number) for number in range(count - len(far))] + far


def newest_day() -> date:
    from telemetry.days import today
    from telemetry.models import UsageSessionSummary

    newest = UsageSessionSummary.objects.order_by("-started_at").values_list("started_at", flat=True).first()
    return newest.date() if newest else today()


def make_people() -> None:
    from accounts.models import User

    missing = range(User.objects.count(), PEOPLE)
    User.objects.bulk_create(User(email=f"person{number:03d}@bench.example") for number in missing)


def add_day(day: date, events: int, items: Items = ITEMS) -> None:
    """So many events on this day, with their messages and sessions, and its mark."""
    from django.db import transaction

    from telemetry.database.bulk import insert_rows
    from telemetry.dirty_days import mark_dirty
    from telemetry.models import UsageEvent, UsageMessage, UsageSessionSummary
    from telemetry.processors.usage_rows import EVENT_COLUMNS, MESSAGE_COLUMNS, SUMMARY_COLUMNS

    invented = InventedDay(day, events, items)
    with transaction.atomic():
        insert_rows(UsageEvent, EVENT_COLUMNS, invented.events())
        insert_rows(UsageMessage, MESSAGE_COLUMNS, invented.messages())
        insert_rows(UsageSessionSummary, SUMMARY_COLUMNS, invented.summaries())
        mark_dirty([day])


class InventedDay:
    """Rows as telemetry.database.bulk takes them, the same in every run; some people do most of the work."""

    def __init__(self, day: date, events: int, items: Items = ITEMS) -> None:
        from accounts.models import User
        from telemetry.database.bulk import db_now
        from telemetry.days import start_of

        self.day = day
        self.items = items
        self.start = start_of(day)
        self.now = db_now()
        self.random = random.Random(day.toordinal())
        self.moments = sorted(self.random.randrange(MS_PER_DAY) for _ in range(events))
        people = list(User.objects.order_by("pk").values_list("pk", "email")[:PEOPLE])
        shares = [1 / (place + 1) for place in range(len(people))]
        sessions = -(-events // EVENTS_A_SESSION)
        self.sessions = [
            (f"session-{day}-{number}", f"u{pk}_session-{day}-{number}.jsonl", "", pk, email)
            for number, (pk, email) in enumerate(self.random.choices(people, shares, k=sessions))
        ]

    def events(self) -> Iterator[tuple[object, ...]]:
        from telemetry.database.bulk import db_moment
        from telemetry.processors.usage_rows import row_id

        count = len(self.moments)
        tools, errors = self._choices(TOOLS, count), self._choices(ERRORS, count)
        for number, at in enumerate(self.moments):
            session = self.sessions[number % len(self.sessions)]
            error = errors[number]
            yield (
                row_id(session[3], self.start + at, f"call:{self.day}-{number}"),
                *session,
                f"{self.day}-{number:08x}-event",
                f"{self.day}-{number - 1:08x}-event",
                "mcp_call" if tools[number].startswith("mcp") else "tool_use",
                tools[number],
                *(None, None, None),
                "model",
                True,
                error != "none",
                error,
                *self._item(),
                *(None, None, None),
                "claude-sonnet",
                f"/home/{session[4]}/projects/service-{number % 50}",
                "main",
                "2.0.1",
                db_moment(self.start + at),
                1,
                self.now,
            )

    def messages(self) -> Iterator[tuple[object, ...]]:
        from telemetry.database.bulk import db_moment
        from telemetry.processors.usage_rows import row_id

        moments = self.moments[::EVENTS_A_MESSAGE]
        models = self._choices(MODELS, len(moments))
        for number, at in enumerate(moments):
            session = self.sessions[number % len(self.sessions)]
            message_id = f"msg-{self.day}-{number}"
            yield (
                row_id(session[3], self.start + at, f"message:{message_id}"),
                session[3],
                message_id,
                session[1],
                "",
                models[number],
                *(10, self.random.randrange(2000), self.random.randrange(100_000), 500),
                db_moment(self.start + at),
                None,
                "builtin",
                None,
            )

    def summaries(self) -> Iterator[tuple[object, ...]]:
        from telemetry.database.bulk import db_moment
        from telemetry.processors.usage_rows import COUNTERS

        first, last = db_moment(self.start + self.moments[0]), db_moment(self.start + self.moments[-1])
        counters = [self.random.randrange(100) for _ in COUNTERS]
        for session_id, session_file, agent, pk, email in self.sessions:
            yield (
                session_file, session_id, agent, pk, email, first, last, "60.000", "90.000", 5,
                "claude-sonnet", "/home/projects", "2.0.1", 1, self.now, *counters,
            )  # fmt: skip

    def _choices(self, shares: dict[str, int], count: int) -> list[str]:
        return self.random.choices(list(shares), cum_weights=list(accumulate(shares.values())), k=count)

    def _item(self) -> tuple[str | None, ...]:
        if self.random.random() > ITEM_SHARE:
            return "builtin", None, None, None
        source, ref_id = self.random.choice(self.items)
        return source, ref_id, "skill", "review"


if __name__ == "__main__":
    main()
