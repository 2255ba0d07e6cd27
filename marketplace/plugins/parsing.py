"""The two ways in: a whole marketplace, and one plugin."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.errors import DoesNotLoad, TreeTooLarge
from marketplace.plugins.layout import Layout
from marketplace.plugins.manifest import name_fault
from marketplace.plugins.marketplace_file import Entry, read_entries, read_marketplace_file, read_plugin_root
from marketplace.plugins.merging import MARKETPLACE
from marketplace.plugins.metadata import read_metadata, read_person, version_of
from marketplace.plugins.plugin_parsing import local_plugin
from marketplace.plugins.reading import Reader
from marketplace.plugins.records import (
    IN_GIT,
    VERSION_DIGITS,
    MarketplaceRecord,
    PluginRecord,
    Source,
    SourceKind,
)
from marketplace.plugins.renames import read_renames
from marketplace.plugins.report import Finding, Level, Report
from marketplace.plugins.reserved_names import is_kebab_case, is_reserved
from marketplace.plugins.sources import read_source
from marketplace.plugins.text import quoted, storable
from marketplace.plugins.trees.tree import Tree
from marketplace.plugins.values import as_description, as_object, as_texts


def parse_marketplace(tree: Tree, commit: str = "") -> MarketplaceRecord:
    """All plugins of a repository with a marketplace.json.

    `commit` (hex) is the version of plugins that name none. Raises MarketplaceInvalid where there is
    nothing to show, TreeTooLarge, and FileUnreadable if the tree cannot list its files.
    """
    report = Report()
    reader = Reader(tree, Layout(tree, report))
    content = read_marketplace_file(reader)
    metadata = as_object(content.get("metadata"))
    plugin_root = read_plugin_root(metadata, report)
    entries = read_entries(content["plugins"], report)
    plugins = _plugins(reader, entries, plugin_root, commit)
    _check_marketplace(content, plugins, report)
    return MarketplaceRecord(
        name=content["name"],
        plugins=plugins,
        owner=read_person(content.get("owner")),
        description=as_description(content.get("description")) or as_description(metadata.get("description")),
        version=version_of(content) or version_of(metadata),
        renames=read_renames(content.get("renames"), report),
        cross_marketplace_dependencies=as_texts(content.get("allowCrossMarketplaceDependenciesOn")),
        has_reserved_name=is_reserved(content["name"]),
        findings=report.findings,
    )


def parse_plugin(tree: Tree, name: str) -> PluginRecord:
    """The plugin whose root is the tree's; `name` stands in where plugin.json gives none.

    Raises TreeTooLarge, and FileUnreadable if the tree cannot list its files.
    """
    report = Report()
    reader = Reader(tree, Layout(tree, report))
    record = local_plugin(reader, Source(SourceKind.FOLDER), storable(name), {}, shares_root=False)
    record = replace(record, name=record.namespace, findings=(*report.findings, *record.findings))
    fault = name_fault(record.name)
    if fault and not record.does_not_load:
        return replace(record, components=(), does_not_load=f"its name {fault}")
    return record


def _plugins(
    reader: Reader, entries: Iterable[Entry], plugin_root: str | None, commit: str
) -> tuple[PluginRecord, ...]:
    plugins = []
    components = 0
    for entry in entries:
        plugin = _plugin(reader, entry, plugin_root, commit)
        components += len(plugin.components or ())
        if components > limits.COMPONENTS:
            raise TreeTooLarge(f"Its plugins have more than {limits.COMPONENTS} components.")
        plugins.append(plugin)
    return tuple(plugins)


def _plugin(reader: Reader, entry: Entry, plugin_root: str | None, commit: str) -> PluginRecord:
    try:
        source = read_source(entry.fields.get("source"), plugin_root)
    except DoesNotLoad as error:
        return _refused(entry, Source(SourceKind.INVALID), str(error))
    if entry.fault:
        return _refused(entry, source, entry.fault)
    if source.is_remote:
        return _remote(entry, source)
    shares_root = source.path == ""
    return local_plugin(reader, source, entry.name, entry.fields, shares_root=shares_root, commit=commit)


def _refused(entry: Entry, source: Source, reason: str) -> PluginRecord:
    finding = Finding(Level.ERROR, f"Does not load: {reason}.", MARKETPLACE)
    return replace(_from_entry(entry, source), components=(), does_not_load=reason, findings=(finding,))


def _remote(entry: Entry, source: Source) -> PluginRecord:
    """Hosted elsewhere: what it brings is unknown, and so is its namespace."""
    record = replace(_from_entry(entry, source), namespace_assumed=True)
    if source.kind is not SourceKind.COMMAND:
        return record
    finding = Finding(Level.WARNING, "Installing it runs a command on the client.", MARKETPLACE)
    return replace(record, findings=(finding,))


def _from_entry(entry: Entry, source: Source) -> PluginRecord:
    return PluginRecord(
        name=entry.name,
        namespace=entry.name,
        source=source,
        version=version_of(entry.fields) or source.version or _pinned_commit(source),
        entry=entry.fields,
        **read_metadata({}, entry.fields)._asdict(),
    )


def _pinned_commit(source: Source) -> str:
    """As much of a commit as stands for a version; '' where none is named."""
    return source.sha[:VERSION_DIGITS] if source.kind in IN_GIT else ""


def _check_marketplace(content: dict[str, Any], plugins: Iterable[PluginRecord], report: Report) -> None:
    name = content["name"]
    if not read_person(content.get("owner")).name or not isinstance(content["owner"], dict):
        report.error("Claude Code refuses this marketplace: it has no `owner.name`.", MARKETPLACE)
    if not is_kebab_case(name):
        report.warning(f"The name {quoted(name)} is not in kebab case.", MARKETPLACE)
    if is_reserved(name):
        report.warning(f"{quoted(name)} is a name that only github.com/anthropics may use.", MARKETPLACE)
    sharing = defaultdict(list)
    for plugin in plugins:
        sharing[plugin.namespace].append(plugin.name)
    for namespace, names in sharing.items():
        if len(names) > 1:
            shown = ", ".join(map(quoted, names[:5])) + (", …" if len(names) > 5 else "")
            report.note(f"The namespace {quoted(namespace)} is shared by {shown}.", MARKETPLACE)
