"""Items, versions and files, as far as somebody may see them."""

from accounts.models import User
from marketplace.errors import EntityUnknown, FileUnknown, NotYours, VersionUnknown
from marketplace.guardrails.limits import FILE_BYTES
from marketplace.models import StoreEntity, StoreVersion
from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.trees.tree import Entry
from marketplace.store.packs import opened_pack

MODERATE = "marketplace.moderate_store"


def moderates(user: User) -> bool:
    """Whether this person is an admin of the flea market; a token needs the scope `admin` beside."""
    return user.is_active and user.is_staff and user.has_perm(MODERATE)


def find_entity(user: User, entity_id: int, *, moderating: bool = False) -> StoreEntity:
    """With its installs and held_number. Raises EntityUnknown, also for what this person may not see."""
    entities = StoreEntity.objects.visible_to(user, moderating=moderating)
    found = entities.detailed().filter(pk=entity_id).first()
    if found is None:
        raise EntityUnknown
    return found


def find_own(user: User, entity_id: int, *, moderating: bool = False) -> StoreEntity:
    """One that this person may change: an admin may do what its owner may, such as for one who has left.

    Raises EntityUnknown, NotYours.
    """
    found = find_entity(user, entity_id, moderating=moderating)
    if found.owner_id != user.pk and not moderating:
        raise NotYours
    return found


def find_version(user: User, entity_id: int, number: int, *, moderating: bool = False) -> StoreVersion:
    """Raises VersionUnknown, also for what this person may not see."""
    versions = StoreVersion.objects.visible_to(user, moderating=moderating).select_related(
        "entity__owner", "entity__served", "uploaded_by"
    )
    found = versions.filter(entity__pk=entity_id, number=number).first()
    if found is None:
        raise VersionUnknown
    return found


def files_of(version: StoreVersion) -> list[Entry]:
    with opened_pack(version) as tree:
        return sorted(tree.entries())


def read_file(version: StoreVersion, path: str) -> bytes:
    """Raises FileUnknown."""
    with opened_pack(version) as tree:
        try:
            return tree.read(path, FILE_BYTES)
        except FileUnreadable:
            raise FileUnknown from None
