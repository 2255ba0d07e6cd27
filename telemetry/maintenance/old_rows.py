"""Events and messages of frozen days, and those without a time of transcripts that came before."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import models, transaction

from telemetry.days import MS_PER_DAY, first_id, start_of
from telemetry.dirty_days import mark_dirty
from telemetry.maintenance.removing import Counts, deleted
from telemetry.models import SessionTranscript, UsageEvent, UsageMessage
from telemetry.rollups.rebuilding import days_with_ids

# Rows in one transaction: SQLite's write lock is held meanwhile.
BATCH = 5_000
TABLES: dict[str, type[models.Model]] = {"events": UsageEvent, "messages": UsageMessage}
# Renews a lease and notes what was removed, both in the transaction that removes it.
Note = Callable[[Counts], None]


def counted(before: date) -> Counts:
    ids = first_id(start_of(before))
    return Counter(
        {
            name: model._default_manager.filter(pk__lt=ids, occurred_at__isnull=False).count()
            + _untimed(model, before).count()
            for name, model in TABLES.items()
        }
    )


def remove(before: date, *, note: Note) -> Iterator[int]:
    """In batches, oldest first; yields after each how many there were. Each marks its day, so that it goes
    from the lake as well."""
    for name, model in TABLES.items():
        for day in days_with_ids(model._meta.db_table):
            if day >= before:
                break
            first, end = (first_id(ms) for ms in (start_of(day), start_of(day) + MS_PER_DAY))
            of_day = model._default_manager.filter(pk__gte=first, pk__lt=end, occurred_at__isnull=False)
            yield from _in_batches(name, of_day, day, note)
        yield from _in_batches(name, _untimed(model, before), None, note)


def _in_batches(name: str, rows: "models.QuerySet[Any]", day: date | None, note: Note) -> Iterator[int]:
    while True:
        with transaction.atomic():
            removed = deleted(rows.filter(pk__in=rows.order_by("pk").values("pk")[:BATCH]))
            if removed:
                mark_dirty([day])
                note(Counter({name: removed}))
        yield removed
        if removed < BATCH:
            return


def _untimed(model: type[models.Model], before: date) -> "models.QuerySet[Any]":
    """Their ids begin as those of 1970-01-01 do."""
    received = datetime(before.year, before.month, before.day, tzinfo=UTC)
    old = SessionTranscript.objects.filter(received_at__lt=received)
    return model._default_manager.filter(
        pk__lt=first_id(MS_PER_DAY),
        occurred_at=None,
        session_file__in=old.order_by().values("session_file"),
    )
