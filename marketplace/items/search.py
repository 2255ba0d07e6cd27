"""Which plugins fit the words and the kind of a query."""

from django.db.models import Exists, OuterRef, Q

from marketplace.items.query import ItemQuery
from marketplace.models import Component
from marketplace.models.plugins import PluginQuerySet

OWN_TEXTS = ("name", "display_name", "description")
INNER_TEXTS = ("name", "canonical_id", "description")


def search(plugins: PluginQuerySet, query: ItemQuery) -> PluginQuerySet:
    """Those in which every word occurs, in a name or description of its own or of what it brings."""
    inner = Component.objects.filter(plugin=OuterRef("pk"), valid_to=None)
    for word in query.q.split():
        plugins = plugins.filter(_in_any(OWN_TEXTS, word) | Exists(inner.filter(_in_any(INNER_TEXTS, word))))
    if query.kind:
        plugins = plugins.filter(Exists(inner.filter(kind=query.kind)))
    return plugins


def _in_any(fields: tuple[str, ...], word: str) -> Q:
    found = Q()
    for field in fields:
        for spelling in _spellings(word):
            found |= Q(**{f"{field}__icontains": spelling})
    return found


def _spellings(word: str) -> set[str]:
    """SQLite takes capitals and small letters for the same in ASCII only."""
    return {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
