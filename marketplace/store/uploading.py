"""A new item: inspected, then kept, or refused as a whole."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from accounts import audit
from accounts.models import User
from marketplace.catalogue.storable import json_value, text
from marketplace.errors import NameTaken, UploadRejected
from marketplace.guardrails import Inspection, Kind, UploadedFile, inspect_in_child
from marketplace.guardrails import Verdict as Guardrails
from marketplace.models import EntityState, StoreEntity, StoreVerdict, StoreVersion, Verdict, VersionState
from marketplace.models.lengths import NAME_LENGTH
from marketplace.plugins.records import PluginRecord
from marketplace.store import quotas
from marketplace.store.descriptions import checked_description
from marketplace.store.names import known_names
from marketplace.store.packs import StoredPack, stored_pack
from marketplace.store.publishing import alone, publish
from telemetry.files.spool import PACK_SUFFIX, spooled_file


@dataclass(frozen=True)
class Uploaded:
    """What was kept. `notes` say what was changed on the way."""

    version: StoreVersion
    notes: tuple[str, ...]

    @property
    def entity(self) -> StoreEntity:
        return self.version.entity


def upload(
    files: Sequence[UploadedFile], *, by: User, kind: str = "", name: str = "", description: str = ""
) -> Uploaded:
    """Published, or held for an admin, as the guardrails say.

    `kind`, `name` and `description` are wished for; '' leaves them to what the files say. Raises
    UploadRejected, NameTaken, DescriptionRefused, UploadsExhausted, SpaceExhausted; nothing is kept then.
    """
    description = checked_description(description)
    with spooled_file(PACK_SUFFIX) as spooled:
        inspection = inspected(files, spooled, by=by, kind=kind, name=name)
        with stored_pack(inspection, spooled) as pack, alone():
            quotas.check_rate(by)
            quotas.check_space(by, pack.size)
            entity = _make(inspection, by, description)
            version = keep_version(entity, inspection, pack, by=by)
    return Uploaded(version, inspection.notes)


def inspected(
    files: Sequence[UploadedFile],
    spooled: Path,
    *,
    by: User,
    kind: str,
    name: str,
    item: StoreEntity | None = None,
) -> Inspection:
    """What the guardrails made of it, as a new version of `item`; they write its pack to `spooled`.

    Raises UploadRejected, UploadsExhausted.
    """
    quotas.check_rate(by)
    known = known_names(item.owner if item else by, item)
    wanted_kind = Kind(kind) if kind else None
    inspection = inspect_in_child(files, known, spooled, wanted_kind=wanted_kind, wanted_name=name)
    if inspection.verdict is Guardrails.REJECT:
        codes = sorted({finding.code for finding in inspection.findings})
        audit.record(quotas.UPLOAD, actor=by, params={"findings": codes}, result="rejected")
        raise UploadRejected(inspection.findings)
    return inspection


def keep_version(entity: StoreEntity, inspection: Inspection, pack: StoredPack, *, by: User) -> StoreVersion:
    """In the caller's transaction: publish it, or hold it, as the guardrails say.

    A version that was held before is superseded. What was taken down is held in any case.
    """
    now = timezone.now()
    held = inspection.verdict is Guardrails.HOLD or entity.taken_down_at is not None
    entity.versions.held().update(state=VersionState.SUPERSEDED)
    version = _row(entity, inspection, pack, by, now)
    verdict = Verdict.HELD if held else Verdict.ACCEPTED
    reason = "It was taken down: an admin decides." if entity.taken_down_at else ""
    StoreVerdict.objects.create(store_version=version, verdict=verdict, at=now, reason=reason)
    if held:
        _hold(entity)
    else:
        publish(version, pack.plugin, now)
    params = {"version": version.number, "digest": version.digest}
    audit.record(quotas.UPLOAD, target=f"store:{entity.pk}", actor=by, params=params, result=verdict)
    return version


def _make(inspection: Inspection, owner: User, description: str) -> StoreEntity:
    slug = inspection.slug
    taken = StoreEntity.objects.filter(slug=slug).first()
    if taken:
        raise NameTaken(slug, taken.pk if taken.owner_id == owner.pk else None)
    return StoreEntity.objects.create(
        owner=owner,
        slug=slug,
        kind=str(inspection.kind),
        state=EntityState.HELD,
        description=description,
    )


def _row(
    entity: StoreEntity, inspection: Inspection, pack: StoredPack, by: User, now: datetime
) -> StoreVersion:
    last = entity.versions.order_by("-number").values_list("number", flat=True).first()
    return StoreVersion.objects.create(
        entity=entity,
        number=(last or 0) + 1,
        version=_version_of(pack.plugin.record),
        digest=pack.digest,
        pack=pack.key,
        size=pack.size,
        state=VersionState.HELD,
        findings=json_value([asdict(finding) for finding in inspection.findings]),
        uploaded_by=by,
        uploaded_at=now,
    )


def _version_of(record: PluginRecord) -> str:
    return text(record.version, NAME_LENGTH)


def _hold(entity: StoreEntity) -> None:
    """What is published stays so, and what is archived too."""
    if entity.state == EntityState.PENDING:
        entity.state = EntityState.HELD
        entity.save(update_fields=["state"])
