"""A version becomes a row of the catalogue and of attribution, or ends being one; all in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.catalogue.components import replace_components
from marketplace.catalogue.reading import ReadPlugin
from marketplace.catalogue.storing import fields_of, note_versions, renewed
from marketplace.errors import EntityUnknown
from marketplace.models import EntityState, Plugin, StoreEntity, StoreVersion, VersionState
from telemetry.attribution.lock import write_attribution_alone
from telemetry.models import Source


@contextmanager
def alone() -> Iterator[None]:
    """A transaction beside which no other one changes the flea market, or the catalogue."""
    with transaction.atomic():
        write_attribution_alone()
        yield


def current(entity: StoreEntity) -> StoreEntity:
    """As it is now; to be called first in `alone`. Raises EntityUnknown where it was deleted meanwhile."""
    found = (
        StoreEntity.objects.filter(pk=entity.pk)
        .select_related("owner", "plugin__marketplace", "served")
        .first()
    )
    if found is None:
        raise EntityUnknown
    return found


def publish(version: StoreVersion, part: ReadPlugin, now: datetime) -> None:
    """Serve this version, instead of the one before."""
    entity = version.entity
    _supersede(entity)
    plugin = _catalogued(entity, version, part, now)
    version.state, version.published_at = VersionState.PUBLISHED, now
    version.save(update_fields=["state", "published_at"])
    entity.state, entity.served, entity.plugin = EntityState.PUBLISHED, version, plugin
    entity.taken_down_at = None
    entity.save(update_fields=["state", "served", "plugin", "taken_down_at"])
    replace_components([(plugin, part.record)], now)
    note_versions([plugin], version.digest, now)
    attribute_catalogue(Source.FLEA)


def unpublish(entity: StoreEntity, now: datetime) -> None:
    """Archive it: it leaves the catalogue, and what it was used keeps its name."""
    _supersede(entity)
    entity.state, entity.served = EntityState.ARCHIVED, None
    entity.save(update_fields=["state", "served"])
    plugin = entity.plugin
    if plugin is not None and plugin.valid_to is None:
        plugin.valid_to = now
        plugin.save(update_fields=["valid_to"])
        replace_components([(plugin, None)], now)
        attribute_catalogue(Source.FLEA)


def _supersede(entity: StoreEntity) -> None:
    entity.versions.filter(state=VersionState.PUBLISHED).update(state=VersionState.SUPERSEDED)


def _catalogued(entity: StoreEntity, version: StoreVersion, part: ReadPlugin, now: datetime) -> Plugin:
    plugin = entity.plugin
    if plugin is None:
        plugin = Plugin(
            source=Source.FLEA,
            name=entity.slug,
            ref_id=str(entity.pk),
            first_seen_at=now,
            updated_at=now,
            **fields_of(part),
        )
    else:
        plugin = renewed(plugin, part, now)
    for name, value in _own_words(entity, version).items():
        setattr(plugin, name, value)
    plugin.save()
    return plugin


def _own_words(entity: StoreEntity, version: StoreVersion) -> dict[str, Any]:
    """What the flea market says in place of the files."""
    words = {"version": version.label}
    return {**words, "description": entity.description} if entity.description else words
