"""Whose is it: which item of a marketplace an identifier in a transcript belongs to.

The marketplaces write the four `usage_attribution_*` tables (telemetry/attribution/writing.py); extraction
asks them once a transcript. Beside the names of components they hold names of a whole item, without a
component: its namespace (`acme:`, and `mcp__plugin_acme_` of the tools of its servers), and where its skills
lie on a disk (`<marketplace>/<plugin>`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, product
from operator import itemgetter
from typing import NamedTuple

from telemetry.database.bulk import IN_LIMIT, fetch
from telemetry.models import Source
from telemetry.transcripts.figures import OF_NO_PLUGIN, Event, Evidence

# Where to look: usage_attribution_<name>.
SKILLS, COMMANDS, AGENTS, MCP_SERVERS = "skills", "commands", "agents", "mcp_servers"
# What the names of a plugin's MCP tools begin with.
MCP_OF_PLUGINS = "mcp__plugin_"


class Item(NamedTuple):
    """The item, and the component in it, that an event or a turn belongs to."""

    source: str
    ref_id: str | None = None
    component_kind: str | None = None
    component_name: str | None = None


BUILTIN = Item(Source.BUILTIN)


class _Row(NamedTuple):
    table: str
    identifier: str
    source: str
    ref_id: str
    component_kind: str
    canonical_name: str
    valid_to: datetime | None

    @property
    def item(self) -> Item:
        return Item(self.source, self.ref_id, self.component_kind or None, self.canonical_name or None)

    @property
    def owner(self) -> tuple[str, str]:
        return self.source, self.ref_id


class Lookup(NamedTuple):
    """Identifiers to look for in these tables, both in their order: the first one that is known counts."""

    tables: tuple[str, ...]
    identifiers: tuple[str, ...]
    evidence: Evidence | None = None

    @property
    def wanted(self) -> Iterator[tuple[str, str]]:
        """Table and identifier of each row that has a say."""
        yield from product(self.tables, self.identifiers)
        if self.evidence:
            yield SKILLS, place_name(self.evidence.marketplace, self.evidence.plugin)


def lookup_of_event(event: Event) -> Lookup | None:
    """None where no item can be credited: a plain tool, a call that did not reach its item, a skill of the
    person's own."""
    if event.event_type == "tool_use" and not event.skill_name:
        return None
    if not event.reached_its_item or event.evidence == OF_NO_PLUGIN:
        return None
    if event.event_type == "slash_command":
        if event.is_builtin and ":" not in event.command_name:
            return None  # Claude Code's own command of that name ran, not a skill's short name.
        return Lookup((COMMANDS, SKILLS), _names(event.command_name), event.evidence)
    if event.event_type == "subagent":
        return Lookup((AGENTS,), _names(event.subagent_type))
    if event.event_type == "mcp_call":
        names = (*mcp_prefixes(event.tool_name), *mcp_namespaces(event.tool_name))
        return Lookup((MCP_SERVERS,), names)
    return lookup_of_skill(event.skill_name, event.evidence)


def lookup_of_skill(name: str, evidence: Evidence | None = None) -> Lookup:
    return Lookup((SKILLS, COMMANDS), _names(name), evidence)


def _names(name: str) -> tuple[str, ...]:
    """The name, then its namespace: a plugin's component that is not known is the plugin's all the same."""
    namespace, colon, _ = name.partition(":")
    return (name, namespace + colon) if namespace and colon else (name,)


def place_name(marketplace: str, plugin: str) -> str:
    """The identifier of an item whose skills lie in `plugins/cache/<marketplace>/<plugin>/`."""
    return f"{marketplace}/{plugin}"


def mcp_prefixes(tool_name: str) -> Iterator[str]:
    """What may be the server's part of `mcp__<server>__<tool>`, longest first: both parts may hold `__`."""
    end = tool_name.rfind("__")
    while end > len("mcp"):
        yield tool_name[: end + 2]
        end = tool_name.rfind("__", 0, end + 1)


def mcp_namespace_name(namespace: str) -> str:
    """An item as a whole in the names of its servers' tools; `namespace` as it stands there."""
    return f"{MCP_OF_PLUGINS}{namespace}_"


def mcp_namespaces(tool_name: str) -> Iterator[str]:
    """What may be the item's part of `mcp__plugin_<namespace>_<server>__<tool>`, longest first: both names
    may hold `_`."""
    if not tool_name.startswith(MCP_OF_PLUGINS):
        return
    first = len(MCP_OF_PLUGINS) + 1
    end = tool_name.rfind("_", first, max(first, tool_name.rfind("__") - 1))
    while end > 0:
        yield tool_name[: end + 1]
        end = tool_name.rfind("_", first, end)


def resolve(lookups: Iterable[Lookup | None]) -> list[Item]:
    """The item of each lookup, in order. One query for all of them, none if there is nothing to look up."""
    lookups = list(lookups)
    found = _find(lookup for lookup in lookups if lookup)
    return [_choose(lookup, found) if lookup else BUILTIN for lookup in lookups]


def _find(lookups: Iterable[Lookup]) -> dict[tuple[str, str], list[_Row]]:
    wanted = {pair for lookup in lookups for pair in lookup.wanted}
    ordered = sorted(wanted)
    found: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for start in range(0, len(ordered), IN_LIMIT):
        for row in _rows(ordered[start : start + IN_LIMIT]):
            found[row.table, row.identifier].append(row)
    return found


# In SQL, because building four model queries takes longer than running them.
_SELECT = """
SELECT '{table}', identifier, source, ref_id, component_kind, canonical_name, valid_to
FROM usage_attribution_{table} WHERE identifier IN ({marks})
"""


def _rows(wanted: list[tuple[str, str]]) -> Iterator[_Row]:
    """The rows of these identifiers, which stand sorted by table."""
    queries = [
        _SELECT.format(table=table, marks=", ".join("%s" for _ in pairs))
        for table, pairs in groupby(wanted, key=itemgetter(0))
    ]
    return map(_Row._make, fetch(" UNION ALL ".join(queries), [identifier for _, identifier in wanted]))


def _choose(lookup: Lookup, found: dict[tuple[str, str], list[_Row]]) -> Item:
    """The item that the evidence names, if it is known, and its component; else whose the name is."""
    named = [
        [row for table in lookup.tables for row in found.get((table, identifier), ())]
        for identifier in lookup.identifiers
    ]
    evident = _evident(lookup, found)
    owners = {row.owner for row in evident}
    proven = [[row for row in rows if row.owner in owners] for rows in named]
    for rows in (*proven, evident, *named):
        if rows:
            return min(rows, key=lambda row: _rank(row, lookup)).item
    return BUILTIN


def _evident(lookup: Lookup, found: dict[tuple[str, str], list[_Row]]) -> list[_Row]:
    if not lookup.evidence:
        return []
    return found.get((SKILLS, place_name(lookup.evidence.marketplace, lookup.evidence.plugin)), [])


def _rank(row: _Row, lookup: Lookup) -> tuple[bool, bool, int, str]:
    """Smallest wins: current before ended, curated before flea, the order of tables, ref_id."""
    table = lookup.tables.index(row.table) if row.table in lookup.tables else 0
    return row.valid_to is not None, row.source != Source.CURATED, table, row.ref_id
