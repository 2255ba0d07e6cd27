"""The stored catalogue as rows of attribution: whose each identifier is (docs/COUNTING.md 10)."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from marketplace.models import Component, Plugin
from marketplace.plugins.exploding import Form
from marketplace.plugins.identifiers import in_tool_names
from marketplace.plugins.records import ComponentKind
from telemetry.attribution.lookup import AGENTS, COMMANDS, MCP_SERVERS, SKILLS, mcp_namespace_name, place_name
from telemetry.attribution.writing import Belonging, Belongings, Key
from telemetry.transcripts.values import NAME_CHARACTERS, clean

TABLES = {
    ComponentKind.SKILL: SKILLS,
    ComponentKind.COMMAND: COMMANDS,
    ComponentKind.WORKFLOW: COMMANDS,
    ComponentKind.AGENT: AGENTS,
    ComponentKind.MCP_SERVER: MCP_SERVERS,
}
# Skills and commands are called alike: of an item, one row stands for a name. The command is what runs.
_LOOKED_UP_TOGETHER = {SKILLS: COMMANDS}


class _Row(NamedTuple):
    """`form` as in marketplace.plugins.exploding; the names of a whole item have none before them."""

    table: str
    key: Key
    form: int
    belonging: Belonging

    @property
    def place(self) -> tuple[str, Key]:
        return _LOOKED_UP_TOGETHER.get(self.table, self.table), self.key

    @property
    def rank(self) -> tuple[bool, int, bool, str]:
        """Of rows in one place the smallest is right."""
        return (
            self.belonging.valid_to is not None,
            self.form,
            self.table == SKILLS,
            self.belonging.canonical_name,
        )


class _Owner(NamedTuple):
    ref_id: str
    valid_to: datetime | None


def belongings_of(source: str) -> Belongings:
    """Of all items of a source together: whether a short name counts depends on all of them.

    On those of the other source it does not depend: nobody takes a curated skill's short name away by
    uploading another one. Where both have a name, telemetry.attribution.lookup prefers the curated.
    """
    sourced = Plugin.objects.filter(source=source)
    plugins = {
        plugin.pk: plugin
        for plugin in sourced.select_related("marketplace", "served_name").defer("readme", "entry")
    }
    owners = {
        pk: _Owner(_successor(plugin, plugins).ref_id, plugin.valid_to) for pk, plugin in plugins.items()
    }
    rows = [
        *_rows_of_items(plugins, owners),
        *_without_shared_short_names(list(_rows_of_components(source, owners))),
    ]
    best: dict[tuple[str, Key], _Row] = {}
    for row in rows:
        best[row.place] = min(best.get(row.place, row), row, key=lambda it: it.rank)
    belongings: dict[str, dict[Key, Belonging]] = defaultdict(dict)
    for row in best.values():
        belongings[row.table][row.key] = row.belonging
    return belongings


def _successor(plugin: Plugin, plugins: dict[int, Plugin]) -> Plugin:
    """What a plugin that left the catalogue is called now."""
    seen = set()
    while plugin.valid_to and plugin.renamed_to_id in plugins and plugin.pk not in seen:
        seen.add(plugin.pk)
        plugin = plugins[plugin.renamed_to_id]
    return plugin


def _rows_of_items(plugins: dict[int, Plugin], owners: dict[int, _Owner]) -> Iterator[_Row]:
    """The names of each plugin as a whole: its namespaces, and where Claude Code keeps its skills."""
    for pk, plugin in plugins.items():
        owner = owners[pk]
        yield from _namespace_rows(plugin.namespace, owner)
        for namespace, lost_at in plugin.former_namespaces.items():
            yield from _namespace_rows(namespace, owner._replace(valid_to=datetime.fromisoformat(lost_at)))
        for market, name in _places(plugin):
            yield from _item_row(SKILLS, place_name(clean(market), clean(name)), owner)


def _places(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """As Claude Code knows them: all marketplaces that this plugin is, or was, installed from, and its name
    there."""
    market = plugin.marketplace
    if market:
        yield from ((name, plugin.name) for name in (market.name, *market.former_names) if name)
    served_name = getattr(plugin, "served_name", None)
    yield settings.MARKETPLACE_NAME, served_name.name if served_name else plugin.name


def _namespace_rows(namespace: str, owner: _Owner) -> Iterator[_Row]:
    for table in (SKILLS, AGENTS):
        yield from _item_row(table, f"{clean(namespace)}:", owner)
    if namespace:
        yield from _item_row(MCP_SERVERS, mcp_namespace_name(in_tool_names(namespace)), owner)


def _item_row(table: str, identifier: str, owner: _Owner) -> Iterator[_Row]:
    if 1 < len(identifier) <= NAME_CHARACTERS:
        belonging = Belonging(valid_to=owner.valid_to)
        yield _Row(table, Key(owner.ref_id, identifier), Form.CANONICAL, belonging)


def _rows_of_components(source: str, owners: dict[int, _Owner]) -> Iterator[_Row]:
    components = Component.objects.filter(plugin__source=source).exclude(canonical_id=None).order_by("pk")
    values = components.values_list("plugin_id", "kind", "canonical_id", "identifiers", "valid_to")
    for plugin_id, kind, canonical, identifiers, valid_to in values.iterator():
        owner = owners[plugin_id]
        belonging = Belonging(kind, str(canonical), valid_to or owner.valid_to)
        for table, form, identifier in identifiers:
            if clean(identifier):
                yield _Row(table, Key(owner.ref_id, clean(identifier)), form, belonging)


def _without_shared_short_names(rows: list[_Row]) -> list[_Row]:
    """A name without a namespace counts where one item has it: current ones first, then those that ended."""
    current: dict[str, set[str]] = defaultdict(set)
    ever: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.form == Form.BARE_ALIAS:
            ever[row.key.identifier].add(row.key.ref_id)
            if row.belonging.valid_to is None:
                current[row.key.identifier].add(row.key.ref_id)
    sole = {name: users for name, all_users in ever.items() if len(users := current[name] or all_users) == 1}
    return [
        row
        for row in rows
        if row.form != Form.BARE_ALIAS or row.key.ref_id in sole.get(row.key.identifier, ())
    ]
