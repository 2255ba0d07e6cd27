"""Why the words of a query found an item: which parts inside it hold them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import BooleanField, ExpressionWrapper

from marketplace.items.records import Listed, Match
from marketplace.items.search import holding
from marketplace.models import Component

# What a card names of an item.
SHOWN = 3


@dataclass(frozen=True)
class _Found:
    match: Match
    words: frozenset[str]


def matches_in(items: Collection[Listed], q: str) -> dict[int, list[Match]]:
    """By id of the item: the parts that hold a word that the item's own texts lack, else those named so.

    At most SHOWN of each item, those with the most words first. One query, none without words.
    """
    words = frozenset(word.casefold() for word in q.split())
    if not words or not items:
        return {}
    found = _found({item.id for item in items}, sorted(words))
    return {item.id: _best(found[item.id], words, item) for item in items}


def _found(plugins: set[int], words: list[str]) -> dict[int, list[_Found]]:
    parts = Component.objects.filter(plugin__in=plugins, valid_to=None).filter(holding(words))
    holds = [ExpressionWrapper(holding([word]), BooleanField()) for word in words]
    rows = parts.order_by("plugin", "position", "pk").values_list(
        "plugin", "kind", "name", "canonical_id", *holds
    )
    found: dict[int, list[_Found]] = defaultdict(list)
    for plugin, kind, name, identifier, *held in rows.iterator():
        held_words = frozenset(word for word, holds in zip(words, held, strict=True) if holds)
        found[plugin].append(_Found(Match(kind, name, identifier), held_words))
    return found


def _best(found: list[_Found], words: frozenset[str], item: Listed) -> list[Match]:
    own_texts = f"{item.name}\n{item.title}\n{item.description}".casefold()
    lacking = frozenset(word for word in words if word not in own_texts)
    if lacking:
        telling = [part for part in found if part.words & lacking]
    else:
        telling = [part for part in found if any(word in part.match.own_names for word in words)]
    return [part.match for part in sorted(telling, key=lambda part: -len(part.words))[:SHOWN]]
