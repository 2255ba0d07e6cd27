"""Remove a marketplace: its plugins leave the catalogue, and what was used of them stays theirs."""

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.catalogue.reading import repository_of
from marketplace.catalogue.storing import end_all
from marketplace.catalogue.syncing import alone_with
from marketplace.errors import MarketplaceBusy
from marketplace.git.fetching import discard
from marketplace.models import Marketplace, MarketplaceState
from telemetry.errors import ClaimLost


def remove_marketplace(marketplace: Marketplace, *, by: User | None = None) -> int:
    """It is fetched no more, and nothing else ever has its short name. Returns how many plugins left.

    Raises MarketplaceBusy while a sync runs, MarketplaceRemoved.
    """
    with alone_with(marketplace) as lease:
        try:
            with transaction.atomic():
                lease.renew()
                plugins = _remove(marketplace, by)
        except ClaimLost:
            raise MarketplaceBusy(marketplace.slug) from None
        discard(repository_of(marketplace))
    return plugins


def _remove(marketplace: Marketplace, by: User | None) -> int:
    plugins = end_all(marketplace, timezone.now())
    marketplace.state, marketplace.error = MarketplaceState.REMOVED, ""
    marketplace.save(update_fields=["state", "error"])
    attribute_catalogue()
    target = f"marketplace:{marketplace.slug}"
    audit.record("marketplace.remove", target=target, actor=by, params={"plugins": plugins})
    return plugins
