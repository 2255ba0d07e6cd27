"""A new version of an item: through the same checks; the old one stays served while the new one is held."""

from collections.abc import Sequence

from accounts.models import User
from marketplace.errors import OtherItem, SameContent
from marketplace.guardrails import Inspection, UploadedFile
from marketplace.models import StoreEntity, VersionState
from marketplace.store import quotas
from marketplace.store.packs import stored_pack
from marketplace.store.publishing import alone, current
from marketplace.store.uploading import Uploaded, inspected, keep_version
from telemetry.files.spool import PACK_SUFFIX, spooled_file

# What is served or waits already needs no second look.
STANDING = (VersionState.PUBLISHED, VersionState.HELD)


def upload_version(entity: StoreEntity, files: Sequence[UploadedFile], *, by: User) -> Uploaded:
    """Name and kind stay. The caller has checked that it is theirs.

    Raises UploadRejected, OtherItem, SameContent, UploadsExhausted, SpaceExhausted, EntityUnknown.
    """
    with spooled_file(PACK_SUFFIX) as spooled:
        inspection = inspected(files, spooled, by=by, kind=entity.kind, name=entity.slug, item=entity)
        if (inspection.slug, str(inspection.kind)) != (entity.slug, entity.kind):
            raise OtherItem(f"{inspection.kind} {inspection.slug}", f"{entity.kind} {entity.slug}")
        with stored_pack(inspection, spooled) as pack, alone():
            quotas.check_rate(by)
            entity = current(entity)
            quotas.check_space(entity.owner, pack.size)
            _refuse_same(entity, inspection)
            version = keep_version(entity, inspection, pack, by=by)
    return Uploaded(version, inspection.notes)


def _refuse_same(entity: StoreEntity, inspection: Inspection) -> None:
    same = entity.versions.filter(digest=inspection.digest, state__in=STANDING).first()
    if same:
        raise SameContent(same.number)
