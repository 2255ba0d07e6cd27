"""One sync: fetch, read, store. Where it fails, the last good catalogue stays, and why is kept."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.catalogue.reading import ReadMarketplace, read, repository_of
from marketplace.catalogue.storable import json_value, text
from marketplace.catalogue.storing import Stored, store
from marketplace.errors import MarketplaceBusy, MarketplaceRemoved
from marketplace.git.fetching import keep
from marketplace.git.running import Limits
from marketplace.models import Marketplace, MarketplaceState
from marketplace.models.lengths import NAME_LENGTH
from marketplace.plugins import limits as parsing_limits
from marketplace.serving.names import assign_names
from telemetry.attribution.lock import write_attribution_alone
from telemetry.errors import ClaimLost
from telemetry.leases import Lease, held

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncReport:
    """`plugins` are in the catalogue now; `identifiers` may mean something else than before."""

    slug: str
    commit: str
    plugins: int
    stored: Stored
    identifiers: int
    seconds: float


def sync_marketplace(
    marketplace: Marketplace,
    *,
    by: User | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> SyncReport:
    """Raises MarketplaceBusy where another process is at it, MarketplaceRemoved, else SyncFailed,
    TokenRefused or AddressRefused.

    `on_stage` is told what it is doing. An audit row stands for every attempt.
    """
    with alone_with(marketplace) as lease:
        try:
            return _synced(marketplace, lease, by, on_stage)
        except ClaimLost:
            raise MarketplaceBusy(marketplace.slug) from None


def _synced(
    marketplace: Marketplace, lease: Lease, by: User | None, on_stage: Callable[[str], None]
) -> SyncReport:
    try:
        return _sync(marketplace, lease, by, on_stage)
    except ClaimLost:
        raise
    except Exception as error:
        _note_failure(marketplace, lease, error, by)
        raise


@contextmanager
def alone_with(marketplace: Marketplace) -> Iterator[Lease]:
    """Hold the lease on a marketplace, as it is stored now. Raises MarketplaceBusy, MarketplaceRemoved."""
    lease = Lease("marketplace_sync_leases", {"marketplace_id": marketplace.pk})
    with held(lease) as ours:
        if not ours:
            raise MarketplaceBusy(marketplace.slug)
        # What somebody else stored or changed until now.
        marketplace.refresh_from_db()
        if marketplace.state == MarketplaceState.REMOVED:
            raise MarketplaceRemoved(marketplace.slug)
        yield lease


def _sync(
    marketplace: Marketplace, lease: Lease, by: User | None, on_stage: Callable[[str], None]
) -> SyncReport:
    started = monotonic()
    limits = Limits(
        started + settings.MARKETPLACE_FETCH_SECONDS, settings.MARKETPLACE_MAX_BYTES, lease.keep_alive
    )
    on_stage("fetching and reading")
    found = read(marketplace, limits)
    on_stage("storing")
    with transaction.atomic():
        # Only who still has the lease commits.
        lease.renew()
        # Before anything is stored: who changes the flea market takes it first, too.
        write_attribution_alone()
        now = timezone.now()
        stored, identifiers = _store(marketplace, found, now)
        _record(marketplace, by, "ok", {"commit": found.commit, "plugins": len(found.plugins)})
    keep(repository_of(marketplace), found.commit, limits)
    seconds = round(monotonic() - started, 3)
    return SyncReport(marketplace.slug, found.commit, len(found.plugins), stored, identifiers, seconds)


def _store(marketplace: Marketplace, found: ReadMarketplace, now: datetime) -> tuple[Stored, int]:
    renamed = _take_over(marketplace, found, now)
    stored = store(marketplace, found, now)
    named = assign_names()
    identifiers = attribute_catalogue() if stored.changed or renamed or named else 0
    return stored, identifiers


def _take_over(marketplace: Marketplace, found: ReadMarketplace, now: datetime) -> bool:
    """What the marketplace says of itself. Returns whether its name changed, which transcripts carry."""
    record = found.record
    name = text(record.name, NAME_LENGTH)
    renamed = marketplace.name != name
    if renamed:
        former = {*marketplace.former_names, marketplace.name} - {name, ""}
        marketplace.former_names = sorted(former)
    marketplace.name = name
    marketplace.description = text(record.description, parsing_limits.DESCRIPTION_CHARACTERS)
    marketplace.owner = json_value(
        {"name": record.owner.name, "email": record.owner.email, "url": record.owner.url}
    )
    marketplace.findings = json_value([finding._asdict() for finding in record.findings])
    marketplace.commit = found.commit
    marketplace.state = MarketplaceState.SYNCED
    marketplace.error = ""
    marketplace.attempted_at = marketplace.synced_at = now
    marketplace.save(
        update_fields=[
            "name", "former_names", "description", "owner", "findings", "commit", "state", "error",
            "attempted_at", "synced_at",
        ]
    )  # fmt: skip
    return renamed


def _note_failure(marketplace: Marketplace, lease: Lease, error: Exception, by: User | None) -> None:
    """Of an error that nobody foresaw only the kind: its text may quote anything.

    Raises ClaimLost where somebody else synced or removed it meanwhile: then theirs is what stands there.
    """
    if isinstance(error, AgnesError):
        code, description = error.code, error.text
        log.warning("%s was not synced: %s", marketplace.slug, description)
    else:
        code, description = "internal_error", f"{type(error).__name__}: see the server's log."
        log.exception("%s was not synced", marketplace.slug)
    with transaction.atomic():
        lease.renew()
        Marketplace.objects.filter(pk=marketplace.pk).update(
            state=MarketplaceState.FAILED, error=description, attempted_at=timezone.now()
        )
        _record(marketplace, by, "failed", {"code": code})


def _record(marketplace: Marketplace, by: User | None, result: str, params: dict[str, object]) -> None:
    target = f"marketplace:{marketplace.slug}"
    audit.record("marketplace.sync", target=target, actor=by, params=params, result=result)
