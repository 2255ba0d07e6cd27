"""What was read replaces the catalogue. Call it in a transaction."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from marketplace.catalogue.components import replace_components
from marketplace.catalogue.reading import README_BYTES, ReadMarketplace, ReadPlugin
from marketplace.catalogue.storable import json_value, text
from marketplace.models import Marketplace, Plugin, PluginVersion
from marketplace.models.lengths import HASH_LENGTH, NAME_LENGTH, REF_ID_LENGTH, URL_LENGTH
from marketplace.plugins import limits
from marketplace.plugins.records import PluginRecord

ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class Stored:
    """How many plugins; `renamed` counts former names that lead to another plugin now."""

    added: int
    updated: int
    ended: int
    renamed: int

    @property
    def changed(self) -> bool:
        return any((self.added, self.updated, self.ended, self.renamed))


def store(marketplace: Marketplace, read: ReadMarketplace, now: datetime) -> Stored:
    """Plugins that vanished stay with `valid_to`, those that come back lose it."""
    known = {plugin.name: plugin for plugin in marketplace.plugins.defer("readme")}
    listed = {part.record.name[:NAME_LENGTH]: part for part in read.plugins}
    different = {name: part for name, part in listed.items() if _differs(known.get(name), part)}
    new = [_new_plugin(marketplace, name, part, now) for name, part in different.items() if name not in known]
    old = [renewed(known[name], part, now) for name, part in different.items() if name in known]
    Plugin.objects.bulk_create(new, batch_size=ROWS_AT_ONCE)
    for plugin in old:
        plugin.save()
    ended = _end([plugin for name, plugin in known.items() if name not in listed], now)
    known |= {plugin.name: plugin for plugin in new}
    replace_components(
        [
            *((plugin, listed[plugin.name].record) for plugin in (*new, *old)),
            *((gone, None) for gone in ended),
        ],
        now,
    )
    note_versions((*new, *old), read.commit, now)
    _follow_commit(known, listed)
    renamed = _follow_renames(marketplace, known, read.record.renames, now)
    return Stored(len(new), len(old), len(ended), renamed)


def end_all(marketplace: Marketplace, now: datetime) -> int:
    """All its plugins leave the catalogue; returns how many did."""
    ended = _end(marketplace.plugins.filter(valid_to=None).defer("readme"), now)
    replace_components([(plugin, None) for plugin in ended], now)
    return len(ended)


def _differs(plugin: Plugin | None, part: ReadPlugin) -> bool:
    return plugin is None or plugin.valid_to is not None or plugin.digest != part.digest


def _new_plugin(marketplace: Marketplace, name: str, part: ReadPlugin, now: datetime) -> Plugin:
    return Plugin(
        marketplace=marketplace,
        name=name,
        ref_id=ref_id_of(marketplace.slug, name),
        first_seen_at=now,
        updated_at=now,
        **fields_of(part),
    )


def renewed(plugin: Plugin, part: ReadPlugin, now: datetime) -> Plugin:
    """With what was read of it now, and in the catalogue again; not saved."""
    fields = fields_of(part)
    if plugin.namespace != fields["namespace"]:
        plugin.former_namespaces[plugin.namespace] = now.isoformat()
        plugin.former_namespaces.pop(fields["namespace"], None)
    if plugin.digest != part.digest:
        plugin.updated_at = now
    for name, value in fields.items():
        setattr(plugin, name, value)
    plugin.valid_to = plugin.renamed_to = None
    return plugin


def fields_of(part: ReadPlugin) -> dict[str, Any]:
    """What was read, as columns of Plugin."""
    record, source = part.record, part.record.source
    return {
        "namespace": text(record.namespace, NAME_LENGTH),
        "namespace_assumed": record.namespace_assumed,
        "display_name": text(record.display_name, NAME_LENGTH),
        "description": text(record.description, limits.DESCRIPTION_CHARACTERS),
        "version": text(record.version, NAME_LENGTH),
        "author": json_value(asdict(record.author)),
        "homepage": text(record.homepage, URL_LENGTH),
        "repository": text(record.repository, URL_LENGTH),
        "license": text(record.license, NAME_LENGTH),
        "category": text(record.category, NAME_LENGTH),
        "keywords": json_value(record.keywords),
        "source_kind": str(source.kind),
        "source_url": text(source.url, URL_LENGTH),
        "source_ref": text(source.ref, NAME_LENGTH),
        "source_sha": text(source.sha, HASH_LENGTH),
        "source_path": text(source.path, URL_LENGTH),
        "source_command": text(source.command or source.package, limits.DESCRIPTION_CHARACTERS),
        "entry": json_value(record.entry),
        "readme": text(part.readme, README_BYTES),
        "readme_is_cut": part.readme_is_cut,
        "components_known": record.components is not None,
        "executables": json_value(record.executables),
        "does_not_load": _optional(record),
        "notes": json_value([finding._asdict() for finding in record.findings]),
        "digest": part.digest,
    }


def _optional(record: PluginRecord) -> str | None:
    if record.does_not_load is None:
        return None
    return text(record.does_not_load, limits.DESCRIPTION_CHARACTERS)


def ref_id_of(slug: str, name: str) -> str:
    """`<slug>/<plugin>`; a name that is too long for it ends in its hash."""
    ref_id = f"{slug}/{name}"
    if len(ref_id) <= REF_ID_LENGTH:
        return ref_id
    mark = "~" + blake2b(name.encode(), digest_size=8).hexdigest()
    return ref_id[: REF_ID_LENGTH - len(mark)] + mark


def _end(missing: Iterable[Plugin], now: datetime) -> list[Plugin]:
    ended = [plugin for plugin in missing if plugin.valid_to is None]
    for plugin in ended:
        plugin.valid_to = now
    Plugin.objects.bulk_update(ended, ["valid_to"], batch_size=ROWS_AT_ONCE)
    return ended


def note_versions(plugins: Iterable[Plugin], commit: str, now: datetime) -> None:
    """A version that is known already stays as it was first seen."""
    seen = [
        PluginVersion(plugin=plugin, version=plugin.version, commit=commit, seen_at=now)
        for plugin in plugins
        if plugin.version
    ]
    PluginVersion.objects.bulk_create(seen, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)


def _follow_commit(known: dict[str, Plugin], listed: dict[str, ReadPlugin]) -> None:
    """A version that is just the commit moves on with it, though the plugin did not change."""
    moved = []
    for name, part in listed.items():
        plugin = known[name]
        if not part.has_own_version and plugin.version != part.record.version:
            plugin.version = part.record.version
            moved.append(plugin)
    Plugin.objects.bulk_update(moved, ["version"], batch_size=ROWS_AT_ONCE)


def _follow_renames(
    marketplace: Marketplace, known: dict[str, Plugin], renames: dict[str, str | None], now: datetime
) -> int:
    """Point former names at what they are called now; a name that was never seen gets a row, too."""
    changed = []
    new = []
    for former, successor in renames.items():
        target = known.get(successor) if successor else None
        plugin = known.get(former)
        if plugin is None and target is not None and target.valid_to is None:
            new.append(_former_name(marketplace, former, target, now))
        elif plugin is not None and plugin.valid_to is not None and plugin.renamed_to_id != _pk(target):
            plugin.renamed_to = target
            changed.append(plugin)
    Plugin.objects.bulk_create(new, batch_size=ROWS_AT_ONCE)
    Plugin.objects.bulk_update(changed, ["renamed_to"], batch_size=ROWS_AT_ONCE)
    return len(new) + len(changed)


def _pk(plugin: Plugin | None) -> int | None:
    return plugin.pk if plugin else None


def _former_name(marketplace: Marketplace, name: str, target: Plugin, now: datetime) -> Plugin:
    """Not saved."""
    return Plugin(
        marketplace=marketplace,
        name=name,
        ref_id=ref_id_of(marketplace.slug, name),
        namespace=name,
        namespace_assumed=True,
        source_kind=target.source_kind,
        components_known=False,
        first_seen_at=now,
        updated_at=now,
        valid_to=now,
        renamed_to=target,
    )
