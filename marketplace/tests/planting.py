"""Plugins as a sync stores them, and their roll-ups as a publish does."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from marketplace.models import Component, Marketplace, Plugin, StoreEntity, StoreVersion
from telemetry.days import today
from telemetry.models import UsageComponentDaily, UsagePluginDaily, UsagePluginWindow

LONG_AGO = datetime(2026, 1, 5, 10, tzinfo=UTC)


def plant_plugin(market: Marketplace, name: str, **fields: Any) -> Plugin:
    """Fields that are lists of names are components: `skill=["sweep"]`."""
    kinds = {kind: fields.pop(kind) for kind in list(fields) if isinstance(fields[kind], list)}
    values = {"first_seen_at": LONG_AGO, "updated_at": LONG_AGO, "namespace": name, "source_kind": "path"}
    plugin = Plugin.objects.create(
        marketplace=market, name=name, ref_id=f"{market.slug}/{name}", digest="x", **{**values, **fields}
    )
    for kind, names in kinds.items():
        for one in names:
            Component.objects.create(plugin=plugin, kind=kind, name=one, canonical_id=f"{name}:{one}")
    return plugin


def plant_entity(owner: User, slug: str, **fields: Any) -> StoreEntity:
    """A published skill of the flea market, and a second version of it that is held."""
    entity = StoreEntity.objects.create(owner=owner, slug=slug, kind="skill", state="held", **fields)
    plugin = Plugin.objects.create(
        source="flea", name=slug, ref_id=str(entity.pk), namespace=slug, source_kind="folder", digest="x",
        first_seen_at=LONG_AGO, updated_at=LONG_AGO, description=f"Does {slug}.",
    )  # fmt: skip
    Component.objects.create(plugin=plugin, kind="skill", name=slug, canonical_id=f"{slug}:{slug}")
    served = plant_version(entity, 1, "published", "Sweep.\n", published_at=LONG_AGO)
    plant_version(entity, 2, "held", "Sweep well.\n")
    StoreEntity.objects.filter(pk=entity.pk).update(state="published", served=served, plugin=plugin)
    entity.refresh_from_db()
    return entity


def plant_version(entity: StoreEntity, number: int, state: str, body: str, **fields: Any) -> StoreVersion:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        name = entity.slug
        head = f"---\nname: {name}\ndescription: Does {name}.\n---\n"
        archive.writestr(".claude-plugin/plugin.json", json.dumps({"name": name}))
        archive.writestr(f"skills/{name}/SKILL.md", head + body)
    return StoreVersion.objects.create(
        entity=entity, number=number, state=state, digest="x", size=1, uploaded_by=entity.owner,
        pack=default_storage.save(f"store/{name}-{number}.zip", ContentFile(content.getvalue())),
        uploaded_at=LONG_AGO, **fields,
    )  # fmt: skip


def use(ref_id: str, invocations: int, people: int = 1, previous: int = 0) -> None:
    """What a publish stores of an item: all of it today."""
    UsagePluginWindow.objects.create(
        period="30d",
        source="curated",
        ref_id=ref_id,
        invocations=invocations,
        distinct_users=people,
        previous_invocations=previous,
        refreshed_at=timezone.now(),
    )
    # Neither the week nor another source's item of the same name may ever be taken for it.
    UsagePluginWindow.objects.create(
        period="7d", source="curated", ref_id=ref_id, invocations=99_999, refreshed_at=timezone.now()
    )
    UsagePluginWindow.objects.create(
        period="30d", source="flea", ref_id=ref_id, invocations=99_999, refreshed_at=timezone.now()
    )
    use_on(0, ref_id, invocations, people)


def use_on(days_ago: int, ref_id: str, invocations: int, people: int = 1, errors: int = 0) -> None:
    day = today() - timedelta(days=days_ago)
    UsagePluginDaily.objects.create(
        day=day,
        source="curated",
        ref_id=ref_id,
        invocations=invocations,
        error_count=errors,
        distinct_users=people,
    )
    UsagePluginDaily.objects.create(day=day, source="flea", ref_id=ref_id, invocations=99_999)


def use_component(
    days_ago: int, ref_id: str, kind: str, name: str, invocations: int, errors: int = 0
) -> None:
    UsageComponentDaily.objects.create(
        day=today() - timedelta(days=days_ago),
        source="curated",
        ref_id=ref_id,
        component_kind=kind,
        component_name=name,
        invocations=invocations,
        error_count=errors,
    )
