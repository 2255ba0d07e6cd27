"""MCP servers: `.mcp.json` and `mcpServers`."""

from collections.abc import Iterator
from typing import Any

from marketplace.plugins.components.servers import Server, bundles, read_servers, shown
from marketplace.plugins.identifiers import mcp_server_id
from marketplace.plugins.paths import base_name
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.sources import without_credentials
from marketplace.plugins.text import quoted, storable
from marketplace.plugins.values import as_description

FIELD = "mcpServers"
DEFAULT_FILE = ".mcp.json"
_REMOTE_TYPES = ("http", "streamable-http", "sse", "sse-ide", "ws", "ws-ide")


def read_mcp_servers(plugin: PluginFolder) -> Iterator[Component]:
    # An entry's servers are not loaded beside a plugin.json, whatever `strict` says.
    with_entry = not plugin.declared.has_manifest
    if not with_entry and FIELD in plugin.declared.entry:
        plugin.report.note(f"`{FIELD}` of the marketplace's entry is ignored beside a plugin.json.")
    servers = read_servers(plugin, FIELD, DEFAULT_FILE, with_entry, _is_server)
    _note_twins(plugin, servers)
    for server in servers:
        yield _component(plugin, server)
    for bundle in bundles(plugin, FIELD, with_entry):
        plugin.report.note(f"The servers in {quoted(bundle)} are not known: it is a bundle.")
        yield Component(ComponentKind.MCP_SERVER, storable(base_name(bundle)), storable(bundle))


def _is_server(configuration: dict[str, Any]) -> bool:
    """A command to start, or an address with its type; an empty address is a placeholder for the user's own.

    Without a type a server has a command: Claude Code leaves out what has an address alone.
    """
    kind = configuration.get("type", "stdio")
    if kind == "stdio":
        command = configuration.get("command")
        return isinstance(command, str) and bool(command.strip())
    return kind in _REMOTE_TYPES and isinstance(configuration.get("url"), str)


def _component(plugin: PluginFolder, server: Server) -> Component:
    details = shown(server.configuration)
    if "url" in details:
        details["url"] = without_credentials(details["url"])
    return Component(
        ComponentKind.MCP_SERVER,
        storable(server.key),
        storable(server.path),
        mcp_server_id(plugin.namespace, server.key),
        as_description(server.configuration.get("description")),
        details,
    )


def _note_twins(plugin: PluginFolder, servers: list[Server]) -> None:
    """Claude Code starts one of two servers that are the same, and its tools carry that one's name."""
    first: dict[str, str] = {}
    for server in servers:
        what = _what_runs(server.configuration)
        if what and first.setdefault(what, server.key) != server.key:
            plugin.report.note(f"The servers {quoted(first[what])} and {quoted(server.key)} are the same.")


def _what_runs(configuration: dict[str, Any]) -> str:
    if configuration.get("url"):
        return str(configuration["url"])
    return repr((configuration.get("command"), configuration.get("args", [])))
