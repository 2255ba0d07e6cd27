"""One plugin: its manifest, its entry and its folder, as a record."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.components.agents import read_agents
from marketplace.plugins.components.commands import read_commands
from marketplace.plugins.components.experimental import read_monitors, read_themes
from marketplace.plugins.components.hooks import read_hooks
from marketplace.plugins.components.lsp_servers import read_lsp_servers
from marketplace.plugins.components.mcp_servers import read_mcp_servers
from marketplace.plugins.components.output_styles import read_output_styles
from marketplace.plugins.components.skills import read_skills
from marketplace.plugins.components.workflows import read_workflows
from marketplace.plugins.errors import DoesNotLoad
from marketplace.plugins.manifest import MANIFEST, MISPLACED_MANIFEST, note_wrong_types, read_manifest
from marketplace.plugins.merging import ENTRY, merged
from marketplace.plugins.metadata import read_metadata, version_of
from marketplace.plugins.paths import joined
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.reading import Reader
from marketplace.plugins.records import VERSION_DIGITS, Component, Identifiers, PluginRecord, Source
from marketplace.plugins.report import Report
from marketplace.plugins.text import quoted, storable

_READERS: tuple[Callable[[PluginFolder], Iterator[Component]], ...] = (
    read_commands,
    read_skills,
    read_agents,
    read_hooks,
    read_mcp_servers,
    read_lsp_servers,
    read_output_styles,
    read_workflows,
    read_monitors,
    read_themes,
)
_README_NAMES = ("README.md", "readme.md", "Readme.md", "README.MD")


def local_plugin(
    reader: Reader, source: Source, name: str, entry: dict[str, Any], *, shares_root: bool, commit: str = ""
) -> PluginRecord:
    """The plugin in the folder `source.path`. `commit` stands in for a version where none is given."""
    report = Report()
    record = PluginRecord(name=name, namespace=name, source=source, entry=entry, components=())
    try:
        root = _root(reader, source.path)
        record = _described(reader, root, record, report, commit)
        folder = PluginFolder(
            reader, root, record.namespace, merged(record.manifest, entry), report, shares_root
        )
        record = replace(record, components=_components(folder))
    except DoesNotLoad as error:
        report.error(f"Does not load: {error}.")
        record = replace(_with_metadata(record), components=(), does_not_load=str(error))
    return replace(record, findings=report.findings)


def _root(reader: Reader, path: str) -> str:
    """Symlinks followed once here, so that all paths below are as short as they can be."""
    if reader.layout.is_submodule(path):
        raise DoesNotLoad(f"its folder {quoted(path)} is a git submodule, which is not fetched")
    root = reader.layout.folder(path)
    if root is None:
        raise DoesNotLoad(f"its folder {quoted(path)} does not exist")
    return root


def _described(reader: Reader, root: str, record: PluginRecord, report: Report, commit: str) -> PluginRecord:
    manifest = read_manifest(reader, root)
    misplaced = read_manifest(reader, root, MISPLACED_MANIFEST) if manifest is None else None
    if misplaced is not None:
        report.warning(
            f"plugin.json is not read here: it belongs into {MANIFEST}.", joined(root, MISPLACED_MANIFEST)
        )
    note_wrong_types(manifest or {}, MANIFEST, report)
    note_wrong_types(record.entry, ENTRY, report)
    own_version = version_of(manifest or misplaced or {})
    return _with_metadata(
        replace(
            record,
            manifest=manifest,
            namespace=manifest["name"] if manifest else record.namespace,
            version=own_version or version_of(record.entry) or commit[:VERSION_DIGITS],
            readme_path=_readme(reader, root),
            executables=tuple(map(storable, reader.layout.names(joined(root, "bin"))[: limits.LIST_ITEMS])),
            has_settings=reader.layout.file(joined(root, "settings.json")) is not None,
        )
    )


def _with_metadata(record: PluginRecord) -> PluginRecord:
    return replace(record, **read_metadata(record.manifest or {}, record.entry)._asdict())


def _readme(reader: Reader, root: str) -> str | None:
    files = (reader.layout.file(joined(root, name)) for name in _README_NAMES)
    return next((storable(file) for file in files if file is not None), None)


def _components(folder: PluginFolder) -> tuple[Component, ...]:
    components: list[Component] = []
    for read in _READERS:
        for component in read(folder):
            if len(components) >= limits.COMPONENTS_OF_A_PLUGIN:
                folder.report.error(f"Only the first {limits.COMPONENTS_OF_A_PLUGIN} components are shown.")
                return tuple(components)
            components.append(_bounded(component, folder.report))
    return tuple(components)


def _bounded(component: Component, report: Report) -> Component:
    """Without identifiers that no column would hold, and with a name that fits."""
    if len(component.name) > limits.NAME_CHARACTERS:
        component = replace(component, name=component.name[: limits.NAME_CHARACTERS])
    identifiers = component.identifiers
    if identifiers is None or all(map(_fits, identifiers.all())):
        return component
    if not _fits(identifiers.canonical):
        report.error(f"{quoted(identifiers.canonical)} is too long to be counted.", component.path)
        return replace(component, identifiers=None)
    bare = identifiers.bare_alias
    return replace(
        component,
        identifiers=Identifiers(
            identifiers.canonical,
            tuple(filter(_fits, identifiers.aliases)),
            bare if bare is not None and _fits(bare) else None,
        ),
    )


def _fits(identifier: str) -> bool:
    return len(identifier) <= limits.IDENTIFIER_CHARACTERS
