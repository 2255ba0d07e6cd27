"""Which plugins fit the words and the kind of a query."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from marketplace.items.query import ItemQuery
from marketplace.models import Component

OWN_TEXTS = ("name", "display_name", "description")
INNER_TEXTS = ("name", "canonical_id", "description")


def fitting(query: ItemQuery) -> Q:
    """Plugins in which every word occurs, in a name or description of its own or of what it brings."""
    inner = Component.objects.filter(plugin=OuterRef("pk"), valid_to=None)
    fits = Q()
    for word in query.q.split():
        fits &= _in_any(OWN_TEXTS, word) | Q(Exists(inner.filter(holding([word]))))
    if query.kind:
        fits &= Q(Exists(inner.filter(kind=query.kind)))
    return fits


def holding(words: Iterable[str]) -> Q:
    """Components in whose name, identifier or description any of these words occurs."""
    found = Q()
    for word in words:
        found |= _in_any(INNER_TEXTS, word)
    return found


def _in_any(fields: tuple[str, ...], word: str) -> Q:
    found = Q()
    for field in fields:
        for spelling in _spellings(word):
            found |= Q(**{f"{field}__icontains": spelling})
    return found


def _spellings(word: str) -> set[str]:
    """SQLite takes capitals and small letters for the same in ASCII only."""
    return {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
