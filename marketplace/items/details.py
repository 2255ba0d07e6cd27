"""One item: what it brings, how each part of it is used, and its days."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AnonymousUser
from django.db.models import Max, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from marketplace.errors import ItemUnknown
from marketplace.items.figures import DAYS, Key, Usage, Window, published_window, usage_of
from marketplace.items.query import ItemSource
from marketplace.models import Component, Plugin, PluginVersion
from marketplace.plugins.text import storable
from telemetry.models import UsageComponentDaily, UsagePluginDaily


@dataclass(frozen=True)
class DayFigures:
    """One UTC day; `people` are those of that day."""

    day: date
    invocations: int = 0
    errors: int = 0
    people: int = 0


@dataclass(frozen=True)
class ComponentUsage:
    """In the window; `last_used` is the last day of all on which it was used. `daily` has one number of
    invocations for each day of the window."""

    invocations_30d: int = 0
    errors_30d: int = 0
    last_used: date | None = None
    daily: tuple[int, ...] = (0,) * DAYS


@dataclass(frozen=True)
class UsedComponent:
    component: Component
    usage: ComponentUsage


@dataclass(frozen=True)
class OtherUsage:
    """Of what is not in the catalogue now; '' for a name that never was, such as of an older version."""

    kind: str
    name: str
    usage: ComponentUsage


@dataclass(frozen=True)
class ItemDetails:
    """`daily` has every day of the window. What left the catalogue is shown too: `plugin.valid_to`."""

    plugin: Plugin
    source: ItemSource
    window: Window
    usage: Usage
    daily: list[DayFigures]
    components: list[UsedComponent]
    other_usage: list[OtherUsage]
    versions: list[PluginVersion]

    @property
    def errors_30d(self) -> int:
        return sum(day.errors for day in self.daily)


def find_item(user: User | AnonymousUser, source: str, ref_id: str) -> ItemDetails:
    """Raises ItemUnknown, also for what this person may not see."""
    plugin = _plugin(user, source, ref_id)
    key = (source, ref_id)
    window = published_window()
    used = _component_usage(key, window)
    components = [
        UsedComponent(one, used.pop((one.kind, one.canonical_id or ""), ComponentUsage()))
        for one in plugin.components.filter(valid_to=None)
    ]
    others = [OtherUsage(*name, usage) for name, usage in used.items() if usage.invocations_30d]
    return ItemDetails(
        plugin=plugin,
        source=ItemSource(source),
        window=window,
        usage=usage_of(key),
        daily=_daily(key, window),
        components=components,
        other_usage=sorted(others, key=lambda one: (one.kind, one.name)),
        versions=list(plugin.versions.all()),
    )


def _plugin(user: User | AnonymousUser, source: str, ref_id: str) -> Plugin:
    plugins = Plugin.objects.visible_to(user).select_related(
        "marketplace", "renamed_to", "entity__owner", "entity__served"
    )
    plugin = plugins.filter(source=storable(source), ref_id=storable(ref_id)).first()
    if plugin is None:
        raise ItemUnknown(source, ref_id)
    return plugin


def _daily(key: Key, window: Window) -> list[DayFigures]:
    source, ref_id = key
    rows = UsagePluginDaily.objects.filter(
        source=source, ref_id=ref_id, day__range=(window.first_day, window.last_day)
    )
    values = rows.values_list("day", "invocations", "error_count", "distinct_users")
    known = {row[0]: DayFigures(*row) for row in values}
    return [known.get(day, DayFigures(day)) for day in window.days]


def _component_usage(key: Key, window: Window) -> dict[tuple[str, str], ComponentUsage]:
    """By kind and canonical identifier; two queries whatever the number of components."""
    daily = _component_days(key, window)
    source, ref_id = key
    inside = Q(day__range=(window.first_day, window.last_day))
    rows = UsageComponentDaily.objects.filter(source=source, ref_id=ref_id).order_by()
    values = rows.values_list("component_kind", "component_name").annotate(
        invocations_30d=Coalesce(Sum("invocations", filter=inside), 0),
        errors_30d=Coalesce(Sum("error_count", filter=inside), 0),
        last_used=Max("day"),
    )
    return {
        (kind, name): ComponentUsage(invocations, errors, last_used, tuple(daily[kind, name]))
        for kind, name, invocations, errors, last_used in values
    }


def _component_days(key: Key, window: Window) -> dict[tuple[str, str], list[int]]:
    source, ref_id = key
    rows = UsageComponentDaily.objects.filter(
        source=source, ref_id=ref_id, day__range=(window.first_day, window.last_day)
    )
    bars: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * DAYS)
    values = rows.values_list("component_kind", "component_name", "day", "invocations")
    for kind, name, day, invocations in values.iterator():
        bars[kind, name][(day - window.first_day).days] = invocations
    return bars
