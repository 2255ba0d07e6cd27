"""The list of items. It reads the names of all and the details of those shown, in at most six queries."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Count, ExpressionWrapper, Value
from django.db.models.functions import Coalesce, Left

from accounts.models import User
from marketplace.items.figures import Key, Usage, Window, daily_invocations, published_window, usage_of_all
from marketplace.items.matching import matches_in
from marketplace.items.ordering import first, ordered
from marketplace.items.query import ItemQuery, ItemSource, Sort
from marketplace.items.records import Item, Listed
from marketplace.items.search import fitting
from marketplace.models import Component, Plugin

# A card shows no more of a description.
DESCRIPTION_CHARACTERS = 500


@dataclass(frozen=True)
class Choices:
    """What the filters can be set to: marketplaces with something in them, and their categories."""

    marketplaces: list[tuple[str, str]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Listing:
    """One page of the list. `total` items fit the query; `popular` are the most used of its source."""

    query: ItemQuery
    items: list[Item]
    total: int
    popular: list[Item]
    choices: Choices
    window: Window


def list_items(user: User | AnonymousUser, query: ItemQuery, *, popular: int = 0) -> Listing:
    """What this person may see and asks for; with the `popular` most used, fewer where fewer were used."""
    window = published_window()
    listed = _listed(user, query)
    usage = usage_of_all()
    fitting = ordered(_fitting(listed, query), usage, query.sort)
    shown = fitting[query.offset : query.offset + query.limit]
    favourites = _most_used(listed, query.source, usage, popular)
    items = _with_figures({item.key: item for item in (*shown, *favourites)}, usage, window, query.q)
    return Listing(
        query=query,
        items=[items[item.key] for item in shown],
        total=len(fitting),
        popular=[items[item.key] for item in favourites],
        choices=_choices(listed),
        window=window,
    )


def _listed(user: User | AnonymousUser, query: ItemQuery) -> list[Listed]:
    """All that this person may see; with a note of which the words and the kind of the query fit."""
    fits = fitting(query)
    rows = (
        Plugin.objects.visible_to(user)
        .current()
        .order_by()
        .annotate(
            market_slug=Coalesce("marketplace__slug", Value("")),
            market_name=Coalesce("marketplace__name", Value("")),
            summary=Left("description", DESCRIPTION_CHARACTERS),
            fits=ExpressionWrapper(fits, BooleanField()) if fits else Value(True),
        )
        .values_list(
            "source", "pk", "ref_id", "name", "display_name", "summary", "version", "category", "market_slug",
            "market_name", "components_known", "does_not_load", "updated_at", "fits",
        )
    )  # fmt: skip
    return [_read(*row) for row in rows]


def _read(source: str, pk: int, ref_id: str, name: str, display_name: str, *others: Any) -> Listed:
    return Listed(source, pk, ref_id, name, display_name or name, *others)


def _fitting(listed: list[Listed], query: ItemQuery) -> list[Listed]:
    wanted = {"source": query.source, "marketplace": query.marketplace, "category": query.category}
    return [
        item
        for item in listed
        if item.fits and all(getattr(item, name) == it for name, it in wanted.items() if it)
    ]


def _most_used(
    listed: list[Listed], source: ItemSource | None, usage: dict[Key, Usage], number: int
) -> list[Listed]:
    used = (
        item for item in listed if source in (None, item.source) and usage.get(item.key, Usage()).invocations
    )
    return first(number, used, usage, Sort.MOST_USED)


def _with_figures(
    items: dict[Key, Listed], usage: dict[Key, Usage], window: Window, q: str
) -> dict[Key, Item]:
    daily = daily_invocations(items, window)
    kinds = _kinds(items.values())
    matches = matches_in(items.values(), q)
    return {
        key: Item(
            **vars(item),
            usage=usage.get(key, Usage()),
            daily=daily[key],
            kinds=kinds[item.id],
            matches=matches.get(item.id, []),
        )
        for key, item in items.items()
    }


def _kinds(items: Iterable[Listed]) -> dict[int, dict[str, int]]:
    kinds: dict[int, dict[str, int]] = defaultdict(dict)
    components = Component.objects.filter(plugin__in=[item.id for item in items], valid_to=None).order_by()
    for plugin, kind, number in components.values_list("plugin", "kind").annotate(number=Count("pk")):
        kinds[plugin][kind] = number
    return kinds


def _choices(listed: list[Listed]) -> Choices:
    names = {
        item.marketplace: item.marketplace_name or item.marketplace for item in listed if item.marketplace
    }
    shared = Counter(names.values())
    # Two repositories may call themselves alike: then the short name tells which is which.
    labels = {slug: f"{name} ({slug})" if shared[name] > 1 else name for slug, name in names.items()}
    categories = {item.category for item in listed if item.category}
    return Choices(sorted(labels.items()), sorted(categories, key=lambda name: (name.casefold(), name)))
