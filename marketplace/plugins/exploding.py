"""Records as rows of attribution: which identifier in a transcript belongs to which component."""

from collections.abc import Iterable, Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.identifiers import mcp_tool_prefix
from marketplace.plugins.records import Component, ComponentKind, PluginRecord


class MatchKind(StrEnum):
    """How an identifier is compared: a prefix of MCP tools by the longest that fits, the others exactly."""

    SKILL_OR_COMMAND = "skill_or_command"
    AGENT = "agent"
    MCP_PREFIX = "mcp_prefix"


class Form(IntEnum):
    """Where two rows have one identifier, the smaller form is right."""

    CANONICAL = 0
    ALIAS = 1
    BARE_ALIAS = 2


class AttributionRow(NamedTuple):
    """`plugin` is the entry's name; `component` the position in the plugin's components."""

    plugin: str
    namespace: str
    component: int
    kind: ComponentKind
    match_kind: MatchKind
    form: Form
    value: str
    canonical: str


_MATCH_KINDS = {
    ComponentKind.COMMAND: MatchKind.SKILL_OR_COMMAND,
    ComponentKind.SKILL: MatchKind.SKILL_OR_COMMAND,
    ComponentKind.WORKFLOW: MatchKind.SKILL_OR_COMMAND,
    ComponentKind.AGENT: MatchKind.AGENT,
    ComponentKind.MCP_SERVER: MatchKind.MCP_PREFIX,
}


def rows_of_plugin(plugin: PluginRecord) -> list[AttributionRow]:
    """Each alias belongs to one component: to none if it is somebody's canonical id, else to the first.

    Two components of different kinds may share a canonical id; of one kind, the first stands for both.
    """
    rows = sorted(_all_rows(plugin), key=lambda row: row.form)
    kept: dict[tuple[MatchKind, str, ComponentKind | None], AttributionRow] = {}
    taken: set[tuple[MatchKind, str]] = set()
    for row in rows:
        name = (row.match_kind, row.value)
        if row.form is Form.CANONICAL:
            kept.setdefault((*name, row.kind), row)
            taken.add(name)
        elif name not in taken:
            kept[(*name, None)] = row
            taken.add(name)
    return sorted(kept.values(), key=lambda row: (row.component, row.form))


def _all_rows(plugin: PluginRecord) -> Iterator[AttributionRow]:
    for number, component in enumerate(plugin.components or ()):
        match_kind = _MATCH_KINDS.get(component.kind)
        if match_kind is None or component.identifiers is None:
            continue
        canonical = component.identifiers.canonical
        for form, value in _values(plugin, component):
            if len(value) <= limits.IDENTIFIER_CHARACTERS:
                yield AttributionRow(
                    plugin.name, plugin.namespace, number, component.kind, match_kind, form, value, canonical
                )


def _values(plugin: PluginRecord, component: Component) -> Iterable[tuple[Form, str]]:
    identifiers = component.identifiers
    if identifiers is None:
        return
    if component.kind is ComponentKind.MCP_SERVER:
        key = identifiers.canonical.removeprefix(f"plugin:{plugin.namespace}:")
        yield Form.CANONICAL, mcp_tool_prefix(plugin.namespace, key)
        return
    yield Form.CANONICAL, identifiers.canonical
    yield from ((Form.ALIAS, alias) for alias in identifiers.aliases)
    if identifiers.bare_alias is not None:
        yield Form.BARE_ALIAS, identifiers.bare_alias
