"""What owners do with their items. Callers have checked that it is theirs to do."""

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.catalogue.storable import text
from marketplace.errors import NotPublished, PersonUnknown
from marketplace.guardrails.limits import DESCRIPTION_CHARACTERS
from marketplace.models import EntityState, Plugin, StackItem, StoreEntity, VersionState
from marketplace.plugins.text import storable
from marketplace.store import quotas
from marketplace.store.descriptions import checked_description
from marketplace.store.packs import read_pack, remover
from marketplace.store.publishing import alone, current, unpublish
from telemetry.models import Source, UsageEvent


def describe(entity: StoreEntity, description: str, *, by: User) -> None:
    """Show this in place of what its files say; '' for those again. Raises DescriptionRefused."""
    description = checked_description(description)
    served = entity.served
    in_files = read_pack(served).record.description if served and not description else ""
    with alone():
        entity = current(entity)
        entity.description = description
        entity.save(update_fields=["description"])
        if entity.plugin is not None and (description or in_files):
            entity.plugin.description = description or text(in_files, DESCRIPTION_CHARACTERS)
            entity.plugin.save(update_fields=["description"])
        _record("store.describe", entity, by)


def withdraw(entity: StoreEntity, *, by: User) -> None:
    """Take it out of the catalogue; a new version brings it back. Raises NotPublished if it is archived."""
    with alone():
        entity = current(entity)
        if entity.state == EntityState.ARCHIVED:
            raise NotPublished
        _archive(entity)
        _record("store.withdraw", entity, by)


def transfer(entity: StoreEntity, email: str, *, by: User) -> None:
    """Give it to somebody else, at once. Raises PersonUnknown, SpaceExhausted where they have no room."""
    person = User.objects.filter(email=storable(email.strip().lower()), is_active=True).first()
    if person is None:
        raise PersonUnknown
    with alone():
        entity = current(entity)
        former = entity.owner_id
        if former != person.pk:
            quotas.check_space(person, quotas.kept_bytes(entity.versions.all()))
        entity.owner = person
        entity.save(update_fields=["owner"])
        _record("store.transfer", entity, by, {"from": former, "to": person.pk})


def delete(entity: StoreEntity, *, by: User) -> bool:
    """Remove it with all its versions; archive it where others used it or an admin took it down.

    Returns whether it was removed: then its name is free again.
    """
    with alone():
        entity = current(entity)
        # Who adds it to a stack does the same: either comes first.
        if entity.plugin is not None:
            Plugin.objects.select_for_update().filter(pk=entity.plugin.pk).first()
        removed = entity.taken_down_at is None and not used_by_others(entity)
        if removed:
            remove_for_good(entity)
        elif entity.state != EntityState.ARCHIVED:
            _archive(entity)
        _record("store.delete", entity, by, {"removed": removed})
    return removed


def used_by_others(entity: StoreEntity) -> bool:
    """Whether anybody but its owner has it in their stack, or has called it."""
    if entity.plugin is None:
        return False
    calls = UsageEvent.objects.filter(source=Source.FLEA, ref_id=entity.plugin.ref_id)
    installs = StackItem.objects.filter(plugin=entity.plugin)
    return installs.exclude(user=entity.owner_id).exists() or calls.exclude(user=entity.owner_id).exists()


def _archive(entity: StoreEntity) -> None:
    """What was published stays hidden from others when a later version brings the item back."""
    entity.versions.held().update(state=VersionState.SUPERSEDED)
    unpublish(entity, timezone.now())
    published = entity.versions.filter(published_at__isnull=False)
    published.filter(state=VersionState.SUPERSEDED).update(state=VersionState.WITHDRAWN)


def remove_for_good(entity: StoreEntity) -> None:
    """In `alone`. Its attribution ends with it, so that what its owner alone called is attributed anew."""
    _archive(entity)
    transaction.on_commit(remover(list(entity.versions.all())))
    plugin, pk = entity.plugin, entity.pk
    entity.delete()
    entity.pk = pk
    if plugin is not None:
        plugin.delete()
        attribute_catalogue(Source.FLEA)


def _record(action: str, entity: StoreEntity, by: User, params: dict[str, object] | None = None) -> None:
    audit.record(action, target=f"store:{entity.pk}", actor=by, params=params)
