"""Items as cards of the list."""

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from marketplace.items.figures import Key
from marketplace.items.records import Item
from marketplace.pages.kinds import NOT_COUNTED, counts_in_words, is_counted, one
from telemetry.charts import sparkline

NOT_USED_YET = "Not used yet."
NOT_USED_LATELY = "Not used in the last 30 days."


@dataclass(frozen=True)
class Card:
    """`is_mine`: it is in the stack of who looks at it."""

    item: Item
    url: str
    sparkline: SafeString
    brings: str
    is_mine: bool

    @property
    def matches(self) -> list[tuple[str, str]]:
        """Kind in words, and how it is called, of the parts that were searched for."""
        return [(one(part.kind), part.identifier or part.name) for part in self.item.matches]

    @property
    def unused(self) -> str:
        """What is said instead of figures. Of the time before the last 60 days a card knows nothing."""
        if not is_counted(self.item.kinds):
            return NOT_COUNTED
        return NOT_USED_LATELY if self.item.previous_invocations_30d else NOT_USED_YET


def card_of(item: Item, stack: Collection[Key]) -> Card:
    url, bars = item_url(item.source, item.ref_id), sparkline(item.daily)
    return Card(item, url, bars, _brings(item), item.key in stack)


def item_url(source: str, ref_id: str) -> str:
    return reverse("marketplace:item", args=(source, ref_id))


def _brings(item: Item) -> str:
    if item.does_not_load is not None:
        return ""
    if not item.components_known:
        return "Hosted elsewhere: what it brings is not known."
    return counts_in_words(item.kinds) or "Brings nothing that Claude Code loads."
