"""Items of the flea market as their publication stores them."""

import hashlib
from collections.abc import Mapping

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from marketplace.guardrails.packing import digest_of, pack
from marketplace.guardrails.records import StoredFile
from marketplace.models import EntityKind, EntityState, Plugin, StoreEntity, StoreVersion, VersionState
from telemetry.models import Source


def plant_entity(owner: User, slug: str, files: Mapping[str, bytes], *scripts: str) -> StoreEntity:
    """Published; `scripts` are the files that may be run."""
    now = timezone.now()
    stored = {path: _stored(content, path in scripts) for path, content in files.items()}
    key = default_storage.save(f"store/{slug}.zip", ContentFile(pack(stored)))
    plugin = Plugin.objects.create(
        source=Source.FLEA, name=slug, ref_id=f"flea-{slug}", namespace=slug, source_kind="folder",
        digest=digest_of(stored), first_seen_at=now, updated_at=now, description=f"{slug} of the flea market",
    )  # fmt: skip
    entity = StoreEntity.objects.create(
        owner=owner, slug=slug, kind=EntityKind.SKILL, state=EntityState.HELD, plugin=plugin
    )
    version = StoreVersion.objects.create(
        entity=entity, number=1, digest=digest_of(stored), pack=key, size=1, state=VersionState.PUBLISHED,
        uploaded_by=owner, uploaded_at=now, published_at=now,
    )  # fmt: skip
    entity.state, entity.served = EntityState.PUBLISHED, version
    entity.save()
    return entity


def a_skill(slug: str) -> dict[str, bytes]:
    return {
        ".claude-plugin/plugin.json": b'{"name": "%s"}' % slug.encode(),
        f"skills/{slug}/SKILL.md": f"---\nname: {slug}\ndescription: Does it.\n---\nDo it.\n".encode(),
        f"skills/{slug}/go.sh": b"#!/bin/sh\necho go\n",
    }


def take_down(entity: StoreEntity) -> None:
    now = timezone.now()
    entity.state, entity.served, entity.taken_down_at = EntityState.ARCHIVED, None, now
    entity.save()
    Plugin.objects.filter(entity=entity).update(valid_to=now)


def _stored(content: bytes, is_executable: bool) -> StoredFile:
    return StoredFile(len(content), is_executable, hashlib.sha256(content).hexdigest(), lambda: content)
