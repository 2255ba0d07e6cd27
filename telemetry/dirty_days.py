"""Which UTC days changed since they were published. NULL stands for what has no time."""

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet
from django.db.models.functions import TruncDate

from telemetry.bulk import insert_rows
from telemetry.models import UsageDirtyDay, UsageEvent, UsageMessage, UsageSessionSummary
from telemetry.transcripts.extracting import Extraction

MS_PER_DAY = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
Days = set[date | None]


def mark_dirty(days: Iterable[date | None]) -> None:
    """Call it in the transaction that changes what lies on these days."""
    insert_rows(UsageDirtyDay, ["day"], [(day and day.isoformat(),) for day in days])


def days_of(extraction: Extraction) -> Days:
    """The days on which what was extracted lies."""
    numbers = {_day_number(event.occurred_ms) for event in extraction.events}
    numbers.update(_day_number(message.occurred_ms) for message in extraction.messages)
    numbers.add(_day_number(extraction.figures.started_ms))
    return {None if number is None else date.fromordinal(_EPOCH_ORDINAL + number) for number in numbers}


def stored_days(session_file: str) -> Days:
    """The days on which the database holds something of a transcript."""
    days: Days = set()
    for rows, column in (
        (UsageEvent.objects.all(), "occurred_at"),
        (UsageMessage.objects.all(), "occurred_at"),
        (UsageSessionSummary.objects.all(), "started_at"),
    ):
        days |= _days(rows.filter(session_file=session_file), column)
    return days


def _days(
    rows: "QuerySet[UsageEvent] | QuerySet[UsageMessage] | QuerySet[UsageSessionSummary]", column: str
) -> Days:
    return set(rows.annotate(on=TruncDate(column)).order_by().values_list("on", flat=True).distinct())


def _day_number(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // MS_PER_DAY
