"""The sorts of the list; ties by name, alike on every database."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Any

from marketplace.items.figures import Key, Usage
from marketplace.items.query import Sort
from marketplace.items.records import Listed


def ordered(items: Iterable[Listed], usage: dict[Key, Usage], sort: Sort) -> list[Listed]:
    return sorted(items, key=_key(usage, sort))


def first(number: int, items: Iterable[Listed], usage: dict[Key, Usage], sort: Sort) -> list[Listed]:
    """The beginning of what `ordered` gives."""
    return nsmallest(number, items, key=_key(usage, sort))


def _key(usage: dict[Key, Usage], sort: Sort) -> Callable[[Listed], tuple[Any, ...]]:
    by = _ORDERS[sort]
    unused = Usage()
    return lambda item: (*by(item, usage.get(item.key, unused)), *_name(item))


def _name(item: Listed) -> tuple[str, ...]:
    return item.name.casefold(), item.name, item.source, item.ref_id


def _most_used(item: Listed, usage: Usage) -> tuple[Any, ...]:
    return -usage.invocations, -usage.people


def _trending(item: Listed, usage: Usage) -> tuple[Any, ...]:
    trend = usage.trend_pct
    return trend is None, -(trend or 0)


def _recent(item: Listed, usage: Usage) -> tuple[Any, ...]:
    return (-item.updated_at.timestamp(),)


def _by_name(item: Listed, usage: Usage) -> tuple[Any, ...]:
    return ()


_ORDERS: dict[Sort, Callable[[Listed, Usage], tuple[Any, ...]]] = {
    Sort.MOST_USED: _most_used,
    Sort.TRENDING: _trending,
    Sort.RECENT: _recent,
    Sort.NAME: _by_name,
}
