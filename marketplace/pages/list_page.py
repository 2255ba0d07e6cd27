"""What the list shows, ready for its template."""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from marketplace.items.listing import Listing, list_items
from marketplace.items.query import ItemSource, Sort
from marketplace.pages.addresses import CARDS, Address
from marketplace.pages.cards import card_of
from marketplace.pages.kinds import WORDS
from marketplace.pages.paging import paging
from marketplace.pages.stack_box import keys_in_stack

POPULAR = 8
TABS = {None: "All", ItemSource.CURATED: "Curated", ItemSource.FLEA: "Flea market"}
SORTS = {
    Sort.MOST_USED: "Most used",
    Sort.TRENDING: "Trending",
    Sort.RECENT: "Recently updated",
    Sort.NAME: "Name",
}


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    chosen: bool


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """A filter that is a list; the first option stands for any."""

    name: str
    label: str
    options: list[Option]


def list_context(user: User, address: Address) -> dict[str, Any]:
    listing, stack = list_items(user, address.query, popular=POPULAR), keys_in_stack(user)
    return {
        "address": address,
        "tabs": [
            Link(label, address.url(source=source), address.query.source == source)
            for source, label in TABS.items()
        ],
        # Who searches or turns pages has seen them.
        "popular": [card_of(item, stack) for item in listing.popular] if _is_front(address) else [],
        "cards": [card_of(item, stack) for item in listing.items],
        "total": listing.total,
        "choices": _choices(address, listing),
        "everywhere_url": address.url(source=None),
        "paging": paging(address.page, listing.total, CARDS, address.url),
        "as_of": listing.window.as_of,
    }


def _is_front(address: Address) -> bool:
    return not address.narrowed and address.page == 1


def _choices(address: Address, listing: Listing) -> list[Choice]:
    query, found = address.query, listing.choices
    kinds = [(str(kind), words[2]) for kind, words in WORDS.items()]
    categories = [(name, name) for name in found.categories]
    return [
        _choice("marketplace", "Marketplace", found.marketplaces, query.marketplace),
        _choice("kind", "Brings", kinds, query.kind or ""),
        _choice("category", "Category", categories, query.category),
        Choice("sort", "Sort by", [Option(sort, label, sort == query.sort) for sort, label in SORTS.items()]),
    ]


def _choice(name: str, label: str, known: list[tuple[str, str]], chosen: str) -> Choice:
    """What is chosen is among the options, even where nothing has it now."""
    options = dict(known)
    if chosen:
        options.setdefault(chosen, chosen)
    return Choice(
        name,
        label,
        [
            Option("", "Any", not chosen),
            *(Option(value, it, value == chosen) for value, it in options.items()),
        ],
    )
