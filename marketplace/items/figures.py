"""The figures of items as of the last publish (docs/COUNTING.md). Days are UTC."""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from marketplace.items.by_day import NumbersByDay
from telemetry.database.bulk import fetch
from telemetry.days import today
from telemetry.models import PublishingState, UsagePluginDaily, UsagePluginWindow

PERIOD = UsagePluginWindow.Period.MONTH
DAYS = 30
# With fewer invocations before there is too little to compare with.
LEAST_PREVIOUS = 5
Key = tuple[str, str]  # source and ref_id


@dataclass(frozen=True)
class Window:
    """The 30 days that end with `last_day`; None of `as_of`: nothing was published yet."""

    as_of: datetime | None
    last_day: date

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=DAYS - 1)

    @property
    def days(self) -> list[date]:
        return [self.first_day + timedelta(days=number) for number in range(DAYS)]


class Usage(NamedTuple):
    """In the window; `previous` are the invocations of the 30 days before it."""

    invocations: int = 0
    people: int = 0
    previous: int = 0

    @property
    def trend_pct(self) -> float | None:
        """How much more it is used than before, in percent; None where there is too little to compare.

        One decimal, halves away from 0: computed in whole tenths, where floats would round 6.25 down.
        """
        if self.previous < LEAST_PREVIOUS:
            return None
        more = self.invocations - self.previous
        tenths = (2000 * abs(more) + self.previous) // (2 * self.previous)
        return (tenths if more >= 0 else -tenths) / 10


def published_window() -> Window:
    state = PublishingState.objects.first()
    if state is None:
        return Window(None, today())
    return Window(state.as_of, state.windows_day or today())


def usage_of_all() -> dict[Key, Usage]:
    """By item; those that were used in neither 30 days are left out."""
    # In SQL, because thousands of rows take the model layer longer than the database.
    rows = fetch(
        "SELECT source, ref_id, invocations, distinct_users, previous_invocations "
        "FROM usage_plugin_window WHERE period = %s",
        (PERIOD,),
    )
    return {(source, ref_id): Usage(*figures) for source, ref_id, *figures in rows}


def usage_of(key: Key) -> Usage:
    source, ref_id = key
    rows = UsagePluginWindow.objects.filter(period=PERIOD, source=source, ref_id=ref_id)
    figures = rows.values_list("invocations", "distinct_users", "previous_invocations").first()
    return Usage(*figures) if figures else Usage()


def daily_invocations(keys: Collection[Key], window: Window) -> dict[Key, list[int]]:
    """By item one number for each day of the window; the days without any are 0."""
    bars: dict[Key, list[int]] = defaultdict(lambda: [0] * DAYS)
    sources, ref_ids = {source for source, _ in keys}, {ref_id for _, ref_id in keys}
    # With the source, so that the index on items is used and not all items' days are read.
    rows = UsagePluginDaily.objects.filter(
        source__in=sources, ref_id__in=ref_ids, day__range=(window.first_day, window.last_day)
    )
    # One row an item: fetching thousands takes longer than finding them.
    values = rows.order_by().values_list("source", "ref_id").annotate(days=NumbersByDay("day", "invocations"))
    place = {str(day): number for number, day in enumerate(window.days)}
    for source, ref_id, days in values:
        for day, invocations in json.loads(days).items():
            bars[source, ref_id][place[day]] = invocations
    return bars
