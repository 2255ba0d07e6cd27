"""UTC days, as ranges of moments and of the ids that begin with a time (telemetry.models.UsageEvent)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date
from uuid import UUID

from django.utils import timezone

MS_PER_DAY = 86_400_000
# The time in an id stands before this many bits of hash.
ID_HASH_BITS = 80
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def day_number(milliseconds: int) -> int:
    """Counted from 1970-01-01; of a moment in milliseconds since then."""
    return milliseconds // MS_PER_DAY


def date_of(number: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + number)


def start_of(day: date) -> int:
    """In milliseconds since 1970."""
    return (day.toordinal() - _EPOCH_ORDINAL) * MS_PER_DAY


def first_id(milliseconds: int) -> UUID:
    """The smallest id of this millisecond."""
    return UUID(int=milliseconds << ID_HASH_BITS)


def time_in(id: UUID) -> int:
    """In milliseconds since 1970; 0 without a time."""
    return id.int >> ID_HASH_BITS


@dataclass(frozen=True)
class DayRange:
    """The days from `first` to `last`."""

    first: date
    last: date

    @property
    def ids(self) -> tuple[str, str]:
        """The first id, and the first after the range. Rows without a time share ids with 1970-01-01."""
        return first_id(start_of(self.first)).hex, first_id(start_of(self.last) + MS_PER_DAY).hex

    @property
    def moments(self) -> tuple[str, str]:
        """The first moment and the last, as both databases take them. (9999-12-31 has no day after it.)"""
        return f"{self.first} 00:00:00", f"{self.last} 23:59:59.999999"


def ranges(days: Iterable[date]) -> Iterator[DayRange]:
    """Each run of consecutive days as one range."""
    first = last = None
    for day in sorted(days):
        if last is not None and day.toordinal() == last.toordinal() + 1:
            last = day
            continue
        if first and last:
            yield DayRange(first, last)
        first = last = day
    if first and last:
        yield DayRange(first, last)
