"""Dates and times in a filter."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

Day = TypeVar("Day", date, datetime)

EXAMPLE = "2026-05-01 or 2026-05-01T10:00:00Z"

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def read_moment(text: str) -> datetime:
    """A date is its start in UTC; a date-time must have a zone. Raises ValueError with what to do."""
    if _DATE.fullmatch(text):
        return datetime.combine(_read(date, text), time(), UTC)
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"a date, or a date-time with zone (in an address + is %2B), such as {EXAMPLE}")
    if found["zone"] is None:
        raise ValueError(f"a date-time needs its zone, such as {text.replace(' ', 'T')}Z")
    try:
        return _read(datetime, text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the calendar; use something such as {EXAMPLE}") from None


def first_day_from(moment: datetime) -> date:
    """The first UTC day that starts at this moment or later. Raises OverflowError after the last day."""
    day = moment.date()
    return day if moment == datetime.combine(day, time(), UTC) else day + timedelta(days=1)


def shown(moment: datetime) -> str:
    """As people write it: a date where it is the start of one in UTC."""
    if moment.timetz() == time(tzinfo=UTC):
        return moment.date().isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def _read(kind: type[Day], text: str) -> Day:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no {text}; use something such as {EXAMPLE}") from None
