"""The address of the list holds all that was asked for; each link changes a part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.http import urlencode

from marketplace.errors import WrongItemQuery
from marketplace.items.query import ItemQuery, Sort, read_query
from marketplace.pages.paging import page_number

CARDS = 24
NAMES = ("source", "q", "marketplace", "kind", "category", "sort")
NARROWING = ("q", "marketplace", "kind", "category")


@dataclass(frozen=True)
class Address:
    """`ignored` says of each parameter that made no sense what it can be."""

    query: ItemQuery
    page: int
    ignored: Mapping[str, str]

    @property
    def narrowed(self) -> bool:
        return any(getattr(self.query, name) for name in NARROWING)

    def url(self, page: int = 1, **changes: object) -> str:
        query = replace(self.query, **changes)  # type: ignore[arg-type]
        asked = {name: getattr(query, name) for name in NAMES}
        if query.sort == Sort.MOST_USED:
            del asked["sort"]
        if page > 1:
            asked["page"] = page
        said = urlencode({name: value for name, value in asked.items() if value})
        return reverse("marketplace:list") + (f"?{said}" if said else "")

    @property
    def unfiltered_url(self) -> str:
        return self.url(q="", marketplace="", kind=None, category="")


def read_address(values: Mapping[str, str]) -> Address:
    """What makes no sense is left out, because an old link is better answered than refused."""
    said = {name: values[name] for name in NAMES if name in values}
    page = page_number(values.get("page", ""))
    try:
        return Address(_query(said, page), page, {})
    except WrongItemQuery as error:
        wrong = dict(error.fields)
    return Address(_query({name: it for name, it in said.items() if name not in wrong}, page), page, wrong)


def _query(said: Mapping[str, str], page: int) -> ItemQuery:
    return read_query(said, limit=CARDS, offset=(page - 1) * CARDS)
