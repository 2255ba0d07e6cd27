"""The figures of the last days, from roll-ups alone. Days are UTC (docs/COUNTING.md, docs/ADMIN.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, Model, OuterRef, QuerySet, Sum

from accounts.models import User
from telemetry.attribution.item_names import flea_namespace, item_name
from telemetry.dashboard.scalars import count_of
from telemetry.days import today
from telemetry.models import UsageComponentDaily, UsageDaily, UsagePluginDaily, UsageToolDaily, UsageUserDaily

RANGES = (7, 30, 90)
DEFAULT_RANGE = 30
TOP = 8


@dataclass(frozen=True)
class Window:
    """The last `length` days, today included."""

    length: int
    last: date

    @property
    def first(self) -> date:
        return self.last - timedelta(days=self.length - 1)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.length)]

    @property
    def before(self) -> "Window":
        """As many days before it."""
        return Window(self.length, self.first - timedelta(days=1))


@dataclass(frozen=True)
class Daily:
    """The days of a window, with a row for each, and those of the window before it.

    `people` are the different people of the whole window.
    """

    window: Window
    rows: Sequence[UsageDaily]
    rows_before: Sequence[UsageDaily]
    people: int

    def values(self, figure: Callable[[UsageDaily], float]) -> list[float]:
        return [figure(row) for row in self.rows]

    def total(self, figure: Callable[[UsageDaily], int]) -> int:
        return sum(figure(row) for row in self.rows)

    def total_before(self, figure: Callable[[UsageDaily], int]) -> int:
        return sum(figure(row) for row in self.rows_before)


@dataclass(frozen=True)
class Used:
    """One plugin, skill or tool in a window."""

    name: str
    of: str
    invocations: int
    errors: int

    @property
    def error_pct(self) -> float:
        return 100 * self.errors / self.invocations if self.invocations else 0


def last_days(length: int) -> Window:
    return Window(length, today())


def invocations(row: UsageDaily) -> int:
    return row.invocations_curated + row.invocations_flea + row.invocations_builtin


def daily(window: Window) -> Daily:
    """One query."""
    found = UsageDaily.objects.filter(day__range=(window.before.first, window.last))
    rows = list(found.annotate(all_people=count_of(_active(window))))
    by_day = {row.day: row for row in rows}
    return Daily(
        window,
        [by_day.get(day) or UsageDaily(day=day) for day in window.days],
        [by_day.get(day) or UsageDaily(day=day) for day in window.before.days],
        people=rows[0].all_people if rows else 0,
    )


def top_plugins(window: Window) -> list[Used]:
    rows = _most_used(UsagePluginDaily, window, "source", "ref_id").annotate(namespace=flea_namespace())
    return [Used(_item(row), row["source"], row["total"], row["failed"]) for row in rows]


def top_skills(window: Window) -> list[Used]:
    """Of marketplace plugins: the roll-up leaves others out."""
    rows = _most_used(
        UsageComponentDaily, window, "source", "ref_id", "component_name", component_kind="skill"
    ).annotate(namespace=flea_namespace())
    return [Used(row["component_name"], _item(row), row["total"], row["failed"]) for row in rows]


def top_tools(window: Window) -> list[Used]:
    rows = _most_used(UsageToolDaily, window, "tool_name")
    return [Used(row["tool_name"], "", row["total"], row["failed"]) for row in rows]


def _item(row: dict[str, Any]) -> str:
    return item_name(row["ref_id"], row["namespace"])


def _most_used(model: type[Model], window: Window, *key: str, **which: str) -> QuerySet[Any, dict[str, Any]]:
    rows: QuerySet[Any] = model._default_manager.filter(day__range=(window.first, window.last), **which)
    sums = rows.order_by().values(*key).annotate(total=Sum("invocations"), failed=Sum("error_count"))
    most: QuerySet[Any, dict[str, Any]] = sums.order_by(F("total").desc(), *key)[:TOP]
    return most


def _active(window: Window) -> QuerySet[Any]:
    """Everybody with a row in the window: one look at the index for each, however many rows there are."""
    theirs = UsageUserDaily.objects.filter(user=OuterRef("pk"), day__range=(window.first, window.last))
    active: QuerySet[Any] = User.objects.filter(Exists(theirs))
    return active
