"""What an upload is: told by its content; what the uploader chose decides only where that leaves it open."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.normalising.unwrapping import COMPONENT_FOLDERS
from marketplace.guardrails.records import Kind
from marketplace.plugins.front_matter import FrontMatter, split_front_matter
from marketplace.plugins.manifest import MANIFEST

SKILL_FILE = "SKILL.md"
_COMPONENT_FILES = (".mcp.json", ".lsp.json", "settings.json")
_PAPERS = re.compile(
    r"(?i)(?:readme|license|licence|changelog|contributing|notice|security|code_of_conduct|claude)\b.*"
)
_OF_AGENTS = frozenset(
    {
        "tools",
        "disallowedTools",
        "color",
        "maxTurns",
        "memory",
        "isolation",
        "permissionMode",
        "mcpServers",
        "skills",
    }
)
_OF_COMMANDS = frozenset({"argument-hint", "arguments"})
_ARGUMENTS = re.compile(r"\$ARGUMENTS\b|\$[1-9]\b")


class Classified(NamedTuple):
    """`main` is the file of a skill, command or agent; None for a plugin."""

    kind: Kind
    main: str | None = None


def classify(tree: Mapping[str, Any], texts: Mapping[str, str], wanted: Kind | None) -> Classified:
    """`texts` are the contents of the Markdown files at the root. Raises Refused."""
    if MANIFEST in tree:
        return Classified(Kind.PLUGIN)
    main = next((path for path in tree if path.casefold() == SKILL_FILE.casefold()), None)
    if main is not None:
        return Classified(Kind.SKILL, main)
    if any(path in _COMPONENT_FILES or path.partition("/")[0] in COMPONENT_FOLDERS for path in tree):
        return Classified(Kind.PLUGIN)
    pages = [path for path in texts if not _PAPERS.fullmatch(path)] or (list(texts) if len(tree) == 1 else [])
    if len(pages) != 1:
        raise Refused([_nothing(tree)])
    [main] = pages
    return Classified(_kind_of_page(split_front_matter(texts[main]), wanted), main)


def _nothing(tree: Mapping[str, Any]) -> Any:
    text = "There is no SKILL.md, no plugin.json and no folder of skills, commands or agents at the top."
    if not tree:
        text = "Nothing is left without the files that systems and editors leave behind."
    return reject("nothing_to_install", text, "Upload one skill, agent, command or plugin at a time.")


def _kind_of_page(page: FrontMatter, wanted: Kind | None) -> Kind:
    """Of a single Markdown file: as chosen, else by the settings that only one kind has."""
    if wanted is not None and wanted is not Kind.PLUGIN:
        return wanted
    keys = page.values.keys()
    if keys & _OF_COMMANDS or _ARGUMENTS.search(page.body):
        return Kind.COMMAND
    if keys & _OF_AGENTS:
        return Kind.AGENT
    return Kind.SKILL if {"name", "description"} <= keys else Kind.COMMAND
