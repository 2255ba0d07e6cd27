"""Make the roll-ups of some days anew."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date
from uuid import UUID

from django.db.models.functions import TruncDate

from telemetry.database.bulk import fetch
from telemetry.days import MS_PER_DAY, DayRange, date_of, day_number, first_id, ranges, start_of, time_in
from telemetry.models import UsageSessionSummary
from telemetry.rollups.component_daily import COMPONENT_DAILY
from telemetry.rollups.daily import DAILY
from telemetry.rollups.plugin_daily import PLUGIN_DAILY
from telemetry.rollups.tool_daily import TOOL_DAILY
from telemetry.rollups.user_daily import USER_DAILY

DAILY_ROLLUPS = (TOOL_DAILY, PLUGIN_DAILY, COMPONENT_DAILY, DAILY, USER_DAILY)


def make(days: Iterable[date]) -> None:
    """What the extracted rows say now of these days, in temporary tables. Call it in a transaction."""
    clear()
    for each in ranges(days):
        for rollup in DAILY_ROLLUPS:
            rollup.make(each)


def replace(days: Iterable[date]) -> None:
    """Put what was made in place of all rows of these days. Call it in a transaction."""
    for each in ranges(days):
        for rollup in DAILY_ROLLUPS:
            rollup.replace(each)


def clear() -> None:
    """Forget what was made: the connection may live for days."""
    for rollup in DAILY_ROLLUPS:
        rollup.clear()


def rows_on(days: DayRange, *, at_most: int) -> int:
    """How many events and messages there are to read, counted no further than twice `at_most`."""
    counted = "(SELECT count(*) FROM (SELECT 1 FROM {} WHERE id >= %s AND id < %s LIMIT %s) AS found)"
    query = f"SELECT {counted.format('usage_events')} + {counted.format('usage_messages')}"
    [(rows,)] = fetch(query, (*days.ids, at_most) * 2)
    return int(rows)


def days_with_rows() -> set[date]:
    """All days that have something to roll up, or a roll-up."""
    started = UsageSessionSummary.objects.exclude(started_at=None)
    days = set(
        started.annotate(on=TruncDate("started_at", tzinfo=UTC)).values_list("on", flat=True).distinct()
    )
    for table in ("usage_events", "usage_messages"):
        days.update(days_with_ids(table))
    for rollup in DAILY_ROLLUPS:
        days.update(rollup.model._default_manager.values_list("day", flat=True).distinct())
    return days


def days_with_ids(table: str) -> Iterator[date]:
    """The days on which a table has rows, from one to the next along the ids. Those of rows without a time
    are as on 1970-01-01."""
    start = 0
    query = f"SELECT id FROM {table} WHERE id >= %s AND occurred_at IS NOT NULL ORDER BY id LIMIT 1"
    while found := fetch(query, (first_id(start).hex,)):
        day = date_of(day_number(time_in(UUID(str(found[0][0])))))
        yield day
        start = start_of(day) + MS_PER_DAY
