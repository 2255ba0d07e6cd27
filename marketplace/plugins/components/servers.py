"""Maps of servers, as MCP and LSP have them: in a default file, in files that a field names, or inline."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from marketplace.plugins.component_fields import is_bundle, items_in
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.merging import MARKETPLACE
from marketplace.plugins.paths import simplified
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.text import quoted
from marketplace.plugins.values import as_description, as_object, as_words


class Server(NamedTuple):
    """`path` is the file that declares it."""

    key: str
    configuration: dict[str, Any]
    path: str


def read_servers(
    plugin: PluginFolder,
    field: str,
    default_file: str,
    with_entry: bool,
    is_server: Callable[[dict[str, Any]], bool],
) -> list[Server]:
    """By key, a later declaration in place of an earlier one: default file, manifest, entry."""
    servers: dict[str, Server] = {}
    for server in _all(plugin, field, default_file, with_entry):
        if is_server(server.configuration):
            servers[server.key] = server
        else:
            plugin.report.error(f"The server {quoted(server.key)} has no usable configuration.", server.path)
    return list(servers.values())


def _all(plugin: PluginFolder, field: str, default_file: str, with_entry: bool) -> Iterator[Server]:
    if plugin.layout.file(plugin.path(default_file)):
        yield from _of_file(plugin, field, default_file)
    yield from _declared(plugin, field, plugin.declared.manifest.get(field), plugin.path(MANIFEST))
    if with_entry:
        yield from _declared(plugin, field, plugin.declared.entry.get(field), MARKETPLACE)


def _declared(plugin: PluginFolder, field: str, value: Any, declared_in: str) -> Iterator[Server]:
    for item in items_in(value):
        if isinstance(item, str):
            if not is_bundle(item):
                yield from _of_file(plugin, field, simplified(item))
        else:
            yield from _of_map(item, field, declared_in)


def _of_file(plugin: PluginFolder, field: str, below: str) -> Iterator[Server]:
    path = plugin.path(below)
    if plugin.layout.file(path) is None:
        plugin.missing(field, below)
        return
    content = plugin.json(path)
    if isinstance(content, dict):
        yield from _of_map(content, field, path)
    elif content is not None:
        plugin.report.error(f"{quoted(path)} is ignored: it is not an object.", path)


def _of_map(content: dict[str, Any], field: str, path: str) -> Iterator[Server]:
    """`{"mcpServers": {key: configuration}}`, or the inner map alone."""
    inner = content.get(field)
    servers = inner if isinstance(inner, dict) else content
    for key, configuration in servers.items():
        if isinstance(configuration, dict):
            yield Server(key, configuration, path)
        elif servers is inner:
            yield Server(key, {}, path)


def bundles(plugin: PluginFolder, field: str, with_entry: bool) -> Iterator[str]:
    """Packed servers that a field names: their names are inside, which is not looked at."""
    declared = [plugin.declared.manifest, plugin.declared.entry] if with_entry else [plugin.declared.manifest]
    for fields in declared:
        yield from (item for item in items_in(fields.get(field)) if isinstance(item, str) and is_bundle(item))


def shown(configuration: dict[str, Any]) -> dict[str, Any]:
    """What a page shows of a server. Environment and headers can hold secrets: their names only."""
    texts = {key: as_description(configuration.get(key)) for key in ("type", "command", "url")}
    lists = {
        "args": as_words(configuration.get("args")),
        "env": as_words(list(as_object(configuration.get("env")))),
        "headers": as_words(list(as_object(configuration.get("headers")))),
    }
    return {key: value for key, value in {**texts, **lists}.items() if value}
