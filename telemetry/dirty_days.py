"""Which UTC days changed since they were published. NULL stands for what has no time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import TruncDate

from telemetry.database.bulk import IN_LIMIT, insert_rows
from telemetry.days import date_of, day_number
from telemetry.frozen_days import Horizon
from telemetry.models import UsageDirtyDay, UsageEvent, UsageMessage, UsageSessionSummary
from telemetry.transcripts.extracting import Extraction

Days = set[date | None]


@dataclass
class Marks:
    """The ids of the marks of each day; those in `purging` ask for a purge as well."""

    ids: dict[date | None, list[int]] = field(default_factory=lambda: defaultdict(list))
    purging: set[int] = field(default_factory=set)

    @property
    def days(self) -> list[date]:
        """Newest first."""
        return sorted((day for day in self.ids if day), reverse=True)

    def plain(self, days: Iterable[date | None]) -> list[int]:
        """The marks of these days that are done when the days are published."""
        return [pk for day in days for pk in self.ids.get(day, []) if pk not in self.purging]

    def purges(self, days: Iterable[date | None]) -> list[int]:
        """The marks of these days that are done when the old files of the lake are gone as well."""
        return [pk for day in days for pk in self.ids.get(day, []) if pk in self.purging]


def mark_dirty(days: Iterable[date | None], *, purge: bool = False) -> None:
    """Call it in the transaction that changes what lies on these days.

    With `purge`, what was deleted there must not outlive the publish in any old file of the lake.
    """
    rows = [(day and day.isoformat(), purge) for day in days]
    insert_rows(UsageDirtyDay, ["day", "purge"], rows)


def read_marks() -> Marks:
    marks = Marks()
    for pk, day, purge in UsageDirtyDay.objects.values_list("pk", "day", "purge").iterator():
        marks.ids[day].append(pk)
        if purge:
            marks.purging.add(pk)
    return marks


def remove_marks(ids: list[int]) -> None:
    """Exactly these: a day may have been marked again since they were read."""
    for start in range(0, len(ids), IN_LIMIT):
        UsageDirtyDay.objects.filter(pk__in=ids[start : start + IN_LIMIT]).delete()


def days_of(extraction: Extraction, kept: Horizon) -> Days:
    """The days on which what is kept of what was extracted lies."""
    # Numbers first: there may be millions of events, and a few days.
    numbers = {_number(event.occurred_ms) for event in extraction.events if kept.keeps(event.occurred_ms)}
    numbers.update(
        _number(message.occurred_ms) for message in extraction.messages if kept.keeps(message.occurred_ms)
    )
    # That of the summary, which is kept in any case.
    numbers.add(_number(extraction.figures.started_ms))
    return {None if number is None else date_of(number) for number in numbers}


def stored_days(**whose: Any) -> Days:
    """The days on which the database holds something with these values, such as session_file or user_id."""
    return (
        distinct_days(UsageEvent.objects.filter(**whose), "occurred_at")
        | distinct_days(UsageMessage.objects.filter(**whose), "occurred_at")
        | distinct_days(UsageSessionSummary.objects.filter(**whose), "started_at")
    )


def distinct_days(rows: QuerySet[Any], column: str) -> Days:
    # In UTC whatever zone the person has who asks for it.
    days = rows.annotate(on=TruncDate(column, tzinfo=UTC)).order_by().values_list("on", flat=True)
    return set(days.distinct())


def _number(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else day_number(milliseconds)
