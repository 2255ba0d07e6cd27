"""Agents: Markdown files in `agents/`, or those that `agents` names."""

from collections.abc import Iterator

from marketplace.plugins.components.front_matter_fields import AGENT_FIELDS, settings
from marketplace.plugins.identifiers import agent_id
from marketplace.plugins.paths import base_name, joined, parent, stem
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import storable
from marketplace.plugins.values import as_description, as_text

DEFAULT_FOLDER = "agents"
# A plugin's agent cannot set these; Claude Code passes over them.
_IGNORED = ("hooks", "mcpServers", "permissionMode")


def read_agents(plugin: PluginFolder) -> Iterator[Component]:
    seen: set[str] = set()
    if not plugin.declared.replaces("agents"):
        folder = plugin.path(DEFAULT_FOLDER)
        for found in plugin.layout.walk(folder):
            if found.below.endswith(".md"):
                below = parent(found.below)
                yield from _agent(
                    plugin, joined(folder, found.below), tuple(below.split("/")) if below else (), seen
                )
    for named in plugin.declared.paths("agents"):
        path = plugin.path(named)
        if plugin.layout.file(path) is None:
            plugin.missing("agents", named)
        else:
            yield from _agent(plugin, path, (), seen)


def _agent(plugin: PluginFolder, path: str, below: tuple[str, ...], seen: set[str]) -> Iterator[Component]:
    real = plugin.layout.file(path)
    if real is None or real in seen:
        return
    seen.add(real)
    markdown = plugin.markdown(real, path)
    values = markdown.values
    name = as_text(values.get("name")) or stem(base_name(path))
    ignored = [key for key in _IGNORED if key in values]
    if ignored:
        plugin.report.note(f"{', '.join(ignored)} of a plugin's agent is ignored by Claude Code.", path)
    yield Component(
        ComponentKind.AGENT,
        storable(name),
        storable(path),
        agent_id(plugin.namespace, below, name),
        as_description(values.get("description")) or markdown.opening,
        settings(values, AGENT_FIELDS),
    )
