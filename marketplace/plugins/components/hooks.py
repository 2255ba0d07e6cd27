"""Hooks: what Claude Code runs by itself when something happens."""

from collections.abc import Iterator
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.component_fields import items_in
from marketplace.plugins.errors import DoesNotLoad
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.merging import ENTRY, MARKETPLACE
from marketplace.plugins.paths import simplified
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import quoted, storable
from marketplace.plugins.values import as_description, as_object, as_text

DEFAULT_FILE = "hooks/hooks.json"
# These at the top level of a hooks file keep the whole plugin from loading; others only lose the hooks.
_FATAL_AT_TOP = ("PreToolUse", "PermissionRequest")
_HANDLER_KEYS = ("type", "command", "url", "prompt", "timeout", "async", "once", "statusMessage")


def read_hooks(plugin: PluginFolder) -> Iterator[Component]:
    """Raises DoesNotLoad for a hooks file that keeps the plugin from loading."""
    seen: set[str] = set()
    of_entry = _of_entry(plugin)
    if plugin.declared.has_manifest or not of_entry:
        yield from _of_file(plugin, DEFAULT_FILE, seen, is_default=True)
    for item in items_in(plugin.declared.manifest.get("hooks")):
        if isinstance(item, str):
            yield from _of_file(plugin, simplified(item), seen)
        else:
            yield from _components(item, plugin.path(MANIFEST))
    yield from _components(of_entry, MARKETPLACE)


def _of_entry(plugin: PluginFolder) -> dict[str, Any] | None:
    value = plugin.declared.entry.get("hooks")
    if value is not None and not isinstance(value, dict):
        plugin.report.error(f"`hooks` in {ENTRY} is ignored: only an object works there.")
        return None
    return value


def _of_file(
    plugin: PluginFolder, below: str, seen: set[str], *, is_default: bool = False
) -> Iterator[Component]:
    path = plugin.path(below)
    real = plugin.layout.file(path)
    if real is None:
        if not is_default:
            plugin.missing("hooks", below)
    elif real in seen:
        plugin.report.note(f"{quoted(path)} is named twice: it is read once.", path)
    else:
        seen.add(real)
        yield from _components(_checked(plugin, plugin.json(path), path), path)


def _checked(plugin: PluginFolder, value: Any, path: str) -> Any:
    """The events of a hooks file: an object under `hooks`."""
    if value is None:
        return None
    content = as_object(value)
    events = content.get("hooks")
    fatal = [event for event in _FATAL_AT_TOP if event in content]
    if isinstance(events, list) or fatal:
        fault = f"`{fatal[0]}` stands outside of `hooks`" if fatal else "`hooks` is a list"
        raise DoesNotLoad(f"in {quoted(path)} {fault}")
    if not isinstance(events, dict):
        plugin.report.error(f"{quoted(path)} is ignored: it has no object `hooks`.", path)
        return None
    for event, groups in events.items():
        if not isinstance(groups, list):
            plugin.report.error(f"The hooks of {quoted(event)} are ignored: they are no list.", path)
    return events


def _components(events: Any, path: str) -> Iterator[Component]:
    for event, handler in handlers_in(events):
        description = as_description(handler.get("command") or handler.get("url") or handler.get("prompt"))
        yield Component(ComponentKind.HOOK, event, storable(path), None, description, handler)


def handlers_in(events: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(event, handler) of `{Event: [{matcher?, hooks: [handler]}]}`; what is shaped otherwise is no hook."""
    for event, groups in list(as_object(events).items())[: limits.LIST_ITEMS]:
        name = as_text(event)
        for group in groups[: limits.LIST_ITEMS] if name and isinstance(groups, list) else []:
            handlers = as_object(group).get("hooks")
            for handler in handlers[: limits.LIST_ITEMS] if isinstance(handlers, list) else []:
                if isinstance(handler, dict) and name:
                    yield name, _handler(name, as_object(group).get("matcher"), handler)


def _handler(event: str, matcher: Any, handler: dict[str, Any]) -> dict[str, Any]:
    shown = {"event": event, "matcher": as_description(matcher)}
    shown |= {key: as_description(handler[key]) for key in _HANDLER_KEYS if key in handler}
    return {key: value for key, value in shown.items() if value}
