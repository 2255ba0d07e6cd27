"""List filters that find their rows along an index, however many rows there are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Choices, QuerySet
from django.http import HttpRequest

from accounts.models import User
from accounts.numbers import whole_number
from telemetry.admin.formats import words
from telemetry.days import first_id, today

Bounds = tuple[Any, Any]
SPANS = {"Any time": None, "Today": 1, "Last 7 days": 7, "Last 30 days": 30}


class PersonFilter(admin.SimpleListFilter):
    """Shows whose rows a link has led to. To choose a person, search for the e-mail address."""

    title = "person"
    parameter_name = "person"
    field = "user_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = User.objects.filter(pk=self._user_id()) if self.value() else User.objects.none()
        return [(str(pk), email) for pk, email in people.values_list("pk", "email")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.field: self._user_id()}) if self.value() else queryset

    def _user_id(self) -> int:
        user_id = whole_number(self.value() or "")
        if user_id is None:
            raise IncorrectLookupParameters
        return user_id


class RareValuesFilter(admin.SimpleListFilter):
    """The values of a field of which all but the `common` one have a partial index."""

    choices_of: type[Choices]
    common: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, words(value)) for value in self.choices_of.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in self.choices_of.values:
            raise IncorrectLookupParameters
        found = queryset.filter(**{str(self.parameter_name): value})
        # SQLite uses a partial index only where the query repeats the index's condition.
        return found if value == self.common else found.exclude(**{str(self.parameter_name): self.common})


class DaysFilter(admin.ListFilter):
    """From one UTC day to another: links for the usual spans, and a form."""

    title = "days (UTC)"
    template = "admin/telemetry/days_filter.html"
    SINCE, UNTIL = "since", "until"
    field: str

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in (self.SINCE, self.UNTIL):
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return [self.SINCE, self.UNTIL]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since, until = self._day(self.SINCE), self._day(self.UNTIL)
        lower, upper = self.bounds(since, until)
        if since or until:
            queryset = queryset.filter(**{f"{self.field}__gte": lower})
        return queryset.filter(**{f"{self.field}__lt": upper}) if until else queryset

    def bounds(self, since: date | None, until: date | None) -> Bounds:
        """The first value of the field that fits, and the first after it that does not."""
        return _start_of(since or date(1970, 1, 1)), _end_of(until or date(9999, 1, 1))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        self.is_own_span = True
        for name, days in SPANS.items():
            since = (today() - timedelta(days=days - 1)).isoformat() if days else None
            selected = self.since == (since or "") and not self.until
            self.is_own_span = self.is_own_span and not selected
            yield {
                "selected": selected,
                "query_string": changelist.get_query_string({self.SINCE: since, self.UNTIL: None}),
                "display": name,
            }
        # Not by `remove`, which takes everything that begins so: `p` would take `person` along.
        asked = parse_qsl(changelist.get_query_string().removeprefix("?"))
        dropped = {self.SINCE, self.UNTIL, PAGE_VAR}
        self.other_parameters = [(name, value) for name, value in asked if name not in dropped]

    @property
    def since(self) -> str:
        return str(self.used_parameters.get(self.SINCE, ""))

    @property
    def until(self) -> str:
        return str(self.used_parameters.get(self.UNTIL, ""))

    def _day(self, name: str) -> date | None:
        value = self.used_parameters.get(name)
        try:
            day = date.fromisoformat(str(value)) if value else None
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if day and not 1970 <= day.year < 9999:
            raise IncorrectLookupParameters
        return day


class WholeDaysFilter(DaysFilter):
    """For rows that stand for a day."""

    field = "day"

    def bounds(self, since: date | None, until: date | None) -> Bounds:
        lower, upper = super().bounds(since, until)
        return lower.date(), upper.date()


class IdDaysFilter(DaysFilter):
    """For rows whose id begins with their time. Rows without a time are on no day."""

    field = "id"

    def bounds(self, since: date | None, until: date | None) -> Bounds:
        lower, upper = super().bounds(since, until)
        return first_id(max(1, _milliseconds(lower))), first_id(_milliseconds(upper))


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: date) -> datetime:
    return _start_of(day + timedelta(days=1))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
