"""Monitors and themes, under the key `experimental`. Monitors run commands; transcripts name neither."""

from collections.abc import Iterator
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.component_fields import items_in
from marketplace.plugins.components.named_files import Place, files_at
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.paths import base_name, simplified
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import quoted, storable
from marketplace.plugins.values import as_description, as_object, as_text

DEFAULT_MONITORS = "monitors/monitors.json"
THEMES = Place("experimental.themes", "themes", ".json")


def read_monitors(plugin: PluginFolder) -> Iterator[Component]:
    declared = _declared(plugin, "monitors")
    if declared is None:
        if plugin.layout.file(plugin.path(DEFAULT_MONITORS)):
            yield from _of_file(plugin, DEFAULT_MONITORS)
        return
    for item in items_in(declared):
        if isinstance(item, str):
            yield from _of_file(plugin, simplified(item))
        else:
            yield from _monitors([item], plugin.path(MANIFEST))


def _of_file(plugin: PluginFolder, below: str) -> Iterator[Component]:
    path = plugin.path(below)
    if plugin.layout.file(path) is None:
        plugin.missing("experimental.monitors", below)
        return
    content = plugin.json(path)
    yield from _monitors(content.get("monitors") if isinstance(content, dict) else content, path)


def _monitors(items: Any, path: str) -> Iterator[Component]:
    for item in items[: limits.LIST_ITEMS] if isinstance(items, list) else []:
        monitor = as_object(item)
        name = as_text(monitor.get("name"))
        if name:
            details: dict[str, Any] = {
                key: as_description(monitor[key]) for key in ("command", "when") if key in monitor
            }
            description = as_description(monitor.get("description"))
            yield Component(ComponentKind.MONITOR, name, storable(path), None, description, details)


def read_themes(plugin: PluginFolder) -> Iterator[Component]:
    declared = _declared(plugin, "themes")
    paths = [simplified(item) for item in items_in(declared) if isinstance(item, str)]
    for path, _ in files_at(plugin, THEMES, paths, with_default=declared is None):
        name = as_text(as_object(plugin.json(path)).get("name")) or base_name(path).removesuffix(".json")
        yield Component(ComponentKind.THEME, storable(name), storable(path))


def _declared(plugin: PluginFolder, key: str) -> Any:
    """The manifest's value, else the entry's; paths that are not relative are left out with a note."""
    for fields in (plugin.declared.manifest, plugin.declared.entry):
        value = as_object(fields.get("experimental")).get(key)
        if value is not None:
            return [item for item in items_in(value) if _is_usable(plugin, key, item)]
    return None


def _is_usable(plugin: PluginFolder, key: str, item: Any) -> bool:
    usable = isinstance(item, dict) or (isinstance(item, str) and item.startswith("./") and ".." not in item)
    if not usable:
        plugin.report.note(f"{quoted(item)} in `experimental.{key}` is ignored: it is no relative path.")
    return usable
