"""Sessions, newest first, by page.

Each page is a walk along one index, from where the last page ended, past a limited number of sessions: it
costs the same for a thousand sessions and for a million. What only extraction can tell is found along the
summaries' indexes; everything else along those of the transcripts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from telemetry.errors import WrongFilter
from telemetry.sessions.conditions import (
    Bounds,
    Condition,
    Rows,
    all_sessions,
    conditions_of,
    moment_of,
    whose,
    within,
)
from telemetry.sessions.filters import PAGE, SessionFilter

PAGE_SIZE = 50
# The first page tells how many there are, up to so many.
COUNTED = 200
# So many sessions that fit one condition are looked at for whether they fit the others.
LOOKED_AT = 1_000
LAST_ID = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SessionKey(NamedTuple):
    user_id: int
    session_id: str


class Place(NamedTuple):
    """In the order of sessions: behind the one with this moment and id."""

    at: datetime
    pk: int


@dataclass(frozen=True)
class Found:
    """Newest first. `older` and `newer` are what to ask with for the pages beside it, '' where there is none.

    `looked_until`: these are all as far as that moment, and nobody has looked beyond it. `count` is how many
    there are, or more, where it `is_cut`; None on all pages but the first.
    """

    sessions: list[SessionKey]
    older: str
    newer: str
    looked_until: datetime | None
    count: int | None
    is_cut: bool


def find_sessions(
    filter: SessionFilter, *, older: str = "", newer: str = "", limit: int = PAGE_SIZE
) -> Found:
    """The newest sessions; those after the place `older`, or those just before the place `newer`.

    Raises WrongFilter for what is no place.
    """
    place = _read_place(newer, "newer") if newer else _read_place(older, "older") if older else None
    walk = Walk(filter, place, to_newer=bool(newer))
    rows = walk.take(limit + 1 if place else COUNTED + 1)
    sessions = [SessionKey(*key) for *key, _, _ in rows[:limit]]
    has_more = len(rows) > limit
    onwards = _told(*rows[limit - 1][-2:]) if has_more else walk.beyond
    back = _told(*rows[0][-2:]) if rows and place else older or newer
    return Found(
        sessions[::-1] if newer else sessions,
        older=back if newer else onwards,
        newer=onwards if newer else back,
        looked_until=None if has_more else walk.end,
        count=None if place else min(len(rows), COUNTED),
        is_cut=len(rows) > COUNTED or walk.end is not None,
    )


class Walk:
    """From a place onwards, along the index of the condition that reaches furthest. `end` is the moment up to
    which it looks; None where it looks at everything."""

    def __init__(self, filter: SessionFilter, place: Place | None, *, to_newer: bool = False) -> None:
        self.place = place
        self._to_newer = to_newer
        self._sign = "" if to_newer else "-"
        self._rows = all_sessions(filter)
        self._conditions = conditions_of(filter)
        self._bounds = _bounds(filter, place, to_newer)
        self._lead, self.end = self._find_lead()

    @property
    def beyond(self) -> str:
        """The place from which to look further; '' where there is nothing."""
        return _told(self.end, LAST_ID if self._to_newer else 0) if self.end else ""

    def take(self, count: int) -> list[Any]:
        """The first so many: the values of a SessionKey, the moment, the id."""
        bounds = {**self._bounds, "lte" if self._to_newer else "gte": self.end} if self.end else self._bounds
        rows = within(self._rows, bounds)
        for it in self._conditions:
            rows = rows.filter(it.lead(bounds) if it is self._lead else it.test)
        moment = moment_of(rows)
        if self.place:
            behind = "pk__lte" if self._to_newer else "pk__gte"
            rows = rows.exclude(**{moment: self.place.at, behind: self.place.pk})
        return list(keys(rows.order_by(f"{self._sign}{moment}", f"{self._sign}pk"), moment, "pk")[:count])

    def _find_lead(self) -> tuple[Condition | None, datetime | None]:
        if len(self._conditions) == 1 and self._conditions[0].is_in_order:
            # It stops by itself when there are enough.
            return self._conditions[0], None
        furthest: tuple[Condition | None, datetime | None] = None, None
        for condition in self._conditions:
            end = self._end_of(condition)
            if end is None:
                return condition, None
            if furthest[1] is None or (end > furthest[1]) == self._to_newer:
                furthest = condition, end
        return furthest

    def _end_of(self, condition: Condition) -> datetime | None:
        """When the last session was that would be looked at, if there are so many."""
        met = within(condition.met, self._bounds)
        moment = moment_of(met)
        ordered = met.order_by(f"{self._sign}{moment}").values_list(moment, flat=True)
        # Alone it makes a page of the first: twice as many, since it may name a session more than once.
        count = LOOKED_AT if len(self._conditions) > 1 else 2 * COUNTED
        return next(iter(ordered[count : count + 1]), None)


def sessions_of(user_id: int, filter: SessionFilter) -> Rows:
    """All sessions of a person that fit, newest first."""
    filter = filter.of(user_id)
    rows = within(all_sessions(filter), _bounds(filter, None, False))
    person, *others = conditions_of(filter)
    rows = rows.filter(person.lead({}), *(it.test for it in others))
    return rows.order_by(f"-{moment_of(rows)}", "-pk")


def keys(rows: Rows, *more: str) -> Rows:
    """The values of each SessionKey, and of the columns `more`."""
    return rows.values_list(whose(rows), "session_id", *more)


def _bounds(filter: SessionFilter, place: Place | None, to_newer: bool) -> Bounds:
    bounds = {"gte": filter.since, "lt": filter.until}
    if place and to_newer:
        return {**bounds, "gte": max(place.at, filter.since or place.at)}
    return {**bounds, "lte": place.at} if place else bounds


def _told(at: datetime, pk: int) -> str:
    return f"{(at - _EPOCH) // _MICROSECOND}-{pk}"


def _read_place(text: str, name: str) -> Place:
    try:
        microseconds, pk = (int(part) for part in text.rsplit("-", 1))
        if not 0 <= pk <= LAST_ID:
            raise ValueError
        return Place(_EPOCH + microseconds * _MICROSECOND, pk)
    except (ValueError, OverflowError):
        raise WrongFilter({name: "a place that another page of the list named"}, page=PAGE) from None
