"""Items as cards of the list."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from marketplace.items.records import Item
from marketplace.pages.charts import sparkline
from marketplace.pages.kinds import NOT_COUNTED, counts_in_words, is_counted

NOT_USED_YET = "Not used yet."
NOT_USED_LATELY = "Not used in the last 30 days."


@dataclass(frozen=True)
class Card:
    item: Item
    url: str
    sparkline: SafeString
    brings: str

    @property
    def unused(self) -> str:
        """What is said instead of figures. Of the time before the last 60 days a card knows nothing."""
        if not is_counted(self.item.kinds):
            return NOT_COUNTED
        return NOT_USED_LATELY if self.item.previous_invocations_30d else NOT_USED_YET


def card_of(item: Item) -> Card:
    return Card(item, item_url(item.source, item.ref_id), sparkline(item.daily), _brings(item))


def item_url(source: str, ref_id: str) -> str:
    return reverse("marketplace:item", args=(source, ref_id))


def _brings(item: Item) -> str:
    if item.does_not_load is not None:
        return ""
    if not item.components_known:
        return "Hosted elsewhere: what it brings is not known."
    return counts_in_words(item.kinds) or "Brings nothing that Claude Code loads."
