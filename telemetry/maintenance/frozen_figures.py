"""A person's part in the figures of frozen days, which are never made anew: it is subtracted.

Their own rows by day tell invocations, errors and tokens, and their summaries the prompts, and the sessions
that began on a day. How many sessions used a tool or an item, what components were used, and messages are
told by nothing that is kept: these counts stay, and name nobody.
"""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Greatest, TruncDate

from telemetry.dirty_days import mark_dirty
from telemetry.frozen_days import frozen_before
from telemetry.models import (
    Source,
    UsageDaily,
    UsagePluginDaily,
    UsageSessionSummary,
    UsageToolDaily,
    UsageUserDaily,
)
from telemetry.rollups.base import TOKENS

Figures = dict[str, int]


def of_person(user_id: int) -> QuerySet[UsageUserDaily]:
    before = frozen_before()
    rows = UsageUserDaily.objects.filter(user=user_id)
    return rows.filter(day__lt=before) if before else rows.none()


def subtract(user_id: int) -> int:
    """In the caller's transaction, before their summaries go. How many rows of theirs went; 0 where that was
    done before."""
    rows = of_person(user_id)
    days = sorted(set(rows.order_by().values_list("day", flat=True)))
    for day in days:
        _subtract(user_id, day, rows.filter(day=day))
    mark_dirty(days, purge=True)
    count, _ = rows.delete()
    return count


def _subtract(user_id: int, day: date, rows: QuerySet[UsageUserDaily]) -> None:
    for key, figures in _summed(rows.exclude(tool_name=""), "tool_name", "source"):
        _take_from(UsageToolDaily.objects.filter(day=day, **key), figures | {"distinct_users": 1})
    for key, figures in _summed(rows.exclude(source=Source.BUILTIN), "source", "ref_id"):
        _take_from(UsagePluginDaily.objects.filter(day=day, **key), figures | {"distinct_users": 1})
    _take_from(UsageDaily.objects.filter(day=day), _of_day(user_id, day, rows))


def _summed(rows: QuerySet[UsageUserDaily], *key: str) -> Iterator[tuple[dict[str, Any], Figures]]:
    figures = {"invocations": Sum("invocations"), "error_count": Sum("error_count")}
    names = {f"{name}_sum": each for name, each in figures.items()}
    for row in rows.filter(invocations__gt=0).order_by().values(*key).annotate(**names):
        yield {name: row[name] for name in key}, {name: row[f"{name}_sum"] for name in figures}


def _of_day(user_id: int, day: date, rows: QuerySet[UsageUserDaily]) -> Figures:
    sums = rows.aggregate(errors=Sum("error_count"), **{f"{name}_sum": Sum(name) for name in TOKENS})
    by_source = dict(rows.order_by().values_list("source").annotate(Sum("invocations")))
    of_person = UsageSessionSummary.objects.filter(user=user_id)
    began = of_person.annotate(on=TruncDate("started_at", tzinfo=UTC)).filter(on=day)
    started = began.aggregate(sessions=Count("session_id", distinct=True), prompts=Sum("user_messages"))
    return {
        "people": 1,
        "sessions": started["sessions"],
        "prompts": started["prompts"] or 0,
        "errors": sums["errors"] or 0,
        **{f"invocations_{source}": count for source, count in by_source.items()},
        **{name: sums[f"{name}_sum"] or 0 for name in TOKENS},
    }


def _take_from(rows: "QuerySet[Any]", figures: Figures) -> None:
    rows.update(**{name: Greatest(F(name) - figure, 0) for name, figure in figures.items() if figure})
