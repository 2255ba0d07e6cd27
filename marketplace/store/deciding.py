"""What admins decide: let a held version through, refuse it, take an item down."""

from django.utils import timezone

from accounts import audit
from accounts.models import User
from marketplace.catalogue.storable import text
from marketplace.errors import NothingHeld, NotPublished, ReasonMissing, ReasonTooLong
from marketplace.models import EntityState, StoreEntity, StoreVerdict, StoreVersion, Verdict, VersionState
from marketplace.store.packs import read_pack
from marketplace.store.publishing import alone, current, publish, unpublish

REASON_CHARACTERS = 2_000


def held_version(entity: StoreEntity, number: int | None = None) -> StoreVersion:
    """The one that waits for a decision. Raises NothingHeld, also where it is not `number`."""
    held = entity.versions.held().select_related("entity").first()
    if held is None or number not in (None, held.number):
        raise NothingHeld
    return held


def release(version: StoreVersion, *, by: User) -> None:
    """Publish a held version. Raises NothingHeld."""
    part = read_pack(version)
    with alone():
        version = _still_held(version)
        now = timezone.now()
        _note(version, Verdict.RELEASED, by)
        publish(version, part, now)
        _record("store.release", version.entity, by, version)


def refuse(version: StoreVersion, reason: str, *, by: User) -> None:
    """Its owner is told why. What was published stays so.

    Raises NothingHeld, ReasonMissing, ReasonTooLong.
    """
    reason = _checked(reason)
    with alone():
        version = _still_held(version)
        version.state = VersionState.REFUSED
        version.save(update_fields=["state"])
        _note(version, Verdict.REFUSED, by, reason)
        entity = version.entity
        if entity.state == EntityState.HELD:
            entity.state = EntityState.PENDING
            entity.save(update_fields=["state"])
        _record("store.refuse", entity, by, version)


def take_down(entity: StoreEntity, reason: str, *, by: User) -> None:
    """At once out of the catalogue and of what is served; what was uploaded stays as evidence.

    Its owner may upload a better version, which waits for an admin. Raises NotPublished, ReasonMissing,
    ReasonTooLong.
    """
    reason = _checked(reason)
    with alone():
        entity = current(entity)
        version = entity.served
        if version is None:
            raise NotPublished
        now = timezone.now()
        unpublish(entity, now)
        entity.taken_down_at = now
        entity.save(update_fields=["taken_down_at"])
        # Those before it, too: a later release shall not bring them back.
        entity.versions.filter(published_at__isnull=False).update(state=VersionState.REFUSED)
        _note(version, Verdict.TAKEN_DOWN, by, reason)
        _record("store.takedown", entity, by, version)


def _still_held(version: StoreVersion) -> StoreVersion:
    found = StoreVersion.objects.filter(pk=version.pk, state=VersionState.HELD).first()
    if found is None:
        raise NothingHeld
    found.entity = current(found.entity)
    return found


def _checked(reason: str) -> str:
    """Raises ReasonMissing, ReasonTooLong."""
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    if len(reason) > REASON_CHARACTERS:
        raise ReasonTooLong(REASON_CHARACTERS)
    return text(reason, REASON_CHARACTERS)


def _note(version: StoreVersion, verdict: Verdict, by: User, reason: str = "") -> None:
    StoreVerdict.objects.create(
        store_version=version, verdict=verdict, by=by, reason=reason, at=timezone.now()
    )


def _record(action: str, entity: StoreEntity, by: User, version: StoreVersion) -> None:
    """Without the reason, which may quote anything: it stands in the history of the version."""
    audit.record(action, target=f"store:{entity.pk}", actor=by, params={"version": version.number})
