"""The demo's marketplace: registered and synced through the same doors as any other."""

from django.db import transaction

from accounts import audit
from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.catalogue.reading import repository_of
from marketplace.catalogue.registering import add_marketplace, change_location, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.demo import repository
from marketplace.errors import MarketplaceBusy
from marketplace.git.fetching import discard
from marketplace.models import Marketplace
from telemetry.leases import Lease, held

SLUG = "demo-tools"


def find() -> Marketplace | None:
    """Both marks must be there, so that nobody's own is ever taken for a part of the demo."""
    ours = Marketplace.objects.filter(slug=SLUG, url__startswith="file://", url__endswith=repository.PATH)
    return ours.first()


def create() -> Marketplace:
    """Make and sync it; what is there already stays as it is. Raises SlugRefused, SyncFailed."""
    repository.make()
    location = read_location(repository.url())
    marketplace = find() or add_marketplace(location, slug=SLUG)
    if marketplace.url != location.url:  # the data folder was moved
        change_location(marketplace, location)
    sync_marketplace(marketplace)
    return marketplace


def remove() -> bool:
    """Whether it was there. Raises MarketplaceBusy.

    Marketplaces are never deleted, since events belong to them; this is the exception. Events of others that
    were taken for its plugins' are attributed anew.
    """
    marketplace = find()
    if marketplace is not None:
        lease = Lease("marketplace_sync_leases", {"marketplace_id": marketplace.pk})
        with held(lease) as ours:
            if not ours:
                raise MarketplaceBusy(marketplace.slug)
            _remove_rows(marketplace)
        discard(repository_of(marketplace))
    repository.remove()
    return marketplace is not None


@transaction.atomic
def _remove_rows(marketplace: Marketplace) -> None:
    audit.record("marketplace.remove", target=f"marketplace:{marketplace.slug}")
    Marketplace.objects.filter(pk=marketplace.pk).delete()
    attribute_catalogue()
