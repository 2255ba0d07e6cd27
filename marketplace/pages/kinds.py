"""The kinds of components in words, in the order in which pages name them."""

from collections.abc import Iterable, Mapping

from marketplace.catalogue.exploding import TABLES
from marketplace.plugins.records import ComponentKind
from telemetry.charts import counted

# One, many, as a heading.
WORDS: dict[str, tuple[str, str, str]] = {
    ComponentKind.SKILL: ("skill", "skills", "Skills"),
    ComponentKind.COMMAND: ("command", "commands", "Commands"),
    ComponentKind.AGENT: ("agent", "agents", "Agents"),
    ComponentKind.MCP_SERVER: ("MCP server", "MCP servers", "MCP servers"),
    ComponentKind.HOOK: ("hook", "hooks", "Hooks"),
    ComponentKind.LSP_SERVER: ("LSP server", "LSP servers", "LSP servers"),
    ComponentKind.WORKFLOW: ("workflow", "workflows", "Workflows"),
    ComponentKind.OUTPUT_STYLE: ("output style", "output styles", "Output styles"),
    ComponentKind.MONITOR: ("monitor", "monitors", "Monitors"),
    ComponentKind.THEME: ("theme", "themes", "Themes"),
}
# What transcripts name.
COUNTED = frozenset(TABLES)
NOT_COUNTED = "Its use is not counted: sessions do not name what it brings."


def is_counted(kinds: Iterable[str]) -> bool:
    """Whether use of a plugin that brings these could be seen; without any, by its namespace."""
    return not (brings := set(kinds)) or not COUNTED.isdisjoint(brings)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """`4 skills · 1 hook`."""
    return " · ".join(
        counted(counts[kind], one, many) for kind, (one, many, _) in WORDS.items() if counts.get(kind)
    )


def heading(kind: str) -> str:
    return WORDS[kind][2] if kind in WORDS else kind


def one(kind: str) -> str:
    return WORDS[kind][0] if kind in WORDS else kind
