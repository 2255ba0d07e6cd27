"""Whose is it: which item of a marketplace an identifier in a transcript belongs to.

The marketplaces write the four `usage_attribution_*` tables; extraction asks them once a transcript.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from telemetry.bulk import IN_LIMIT, fetch
from telemetry.models import Source
from telemetry.transcripts.figures import Event, Evidence

# Where to look: usage_attribution_<name>.
SKILLS, COMMANDS, AGENTS, MCP_SERVERS = "skills", "commands", "agents", "mcp_servers"


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
        return Item(self.source, self.ref_id, self.component_kind, self.canonical_name)


class Lookup(NamedTuple):
    """Where an identifier is looked for: in these tables, in this order."""

    tables: tuple[str, ...]
    identifiers: tuple[str, ...]
    evidence: Evidence | None = None


def lookup_of_event(event: Event) -> Lookup | None:
    """None where no item can be credited: a plain tool, or a call that did not reach its item."""
    if event.event_type == "tool_use" and not event.skill_name:
        return None
    if not event.reached_its_item:
        return None
    if event.event_type == "slash_command":
        return Lookup((COMMANDS, SKILLS), (event.command_name,), event.evidence)
    if event.event_type == "subagent":
        return Lookup((AGENTS,), (event.subagent_type,))
    if event.event_type == "mcp_call":
        return Lookup((MCP_SERVERS,), tuple(mcp_prefixes(event.tool_name)))
    return lookup_of_skill(event.skill_name, event.evidence)


def lookup_of_skill(name: str, evidence: Evidence | None = None) -> Lookup:
    return Lookup((SKILLS, COMMANDS), (name,), evidence)


def mcp_prefixes(tool_name: str) -> Iterator[str]:
    """What may be the server's part of `mcp__<server>__<tool>`, longest first: both parts may hold `__`."""
    end = tool_name.rfind("__")
    while end > len("mcp"):
        yield tool_name[: end + 2]
        end = tool_name.rfind("__", 0, end + 1)


def resolve(lookups: Iterable[Lookup | None]) -> list[Item]:
    """The item of each lookup, in order. One query for all of them, none if there is nothing to look up."""
    lookups = list(lookups)
    found = _find(lookup for lookup in lookups if lookup)
    return [_choose(lookup, found) if lookup else BUILTIN for lookup in lookups]


def _find(lookups: Iterable[Lookup]) -> dict[tuple[str, str], list[_Row]]:
    wanted = {
        (table, identifier)
        for lookup in lookups
        for table in lookup.tables
        for identifier in lookup.identifiers
    }
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
    for identifier in lookup.identifiers:
        candidates = [row for table in lookup.tables for row in found.get((table, identifier), ())]
        if candidates:
            return min(candidates, key=lambda row: _rank(row, lookup)).item
    return BUILTIN


def _rank(row: _Row, lookup: Lookup) -> tuple[bool, bool, bool, int, str]:
    """Smallest wins: evidence, current before ended, curated before flea, the order of tables, ref_id."""
    evidence = lookup.evidence
    proven = evidence is not None and row.ref_id == f"{evidence.marketplace}/{evidence.plugin}"
    return (
        not proven,
        row.valid_to is not None,
        row.source != Source.CURATED,
        lookup.tables.index(row.table),
        row.ref_id,
    )
