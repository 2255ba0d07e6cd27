"""The names that transcripts carry: canonical ids, aliases, prefixes of MCP tools."""

import re

from marketplace.plugins.records import Identifiers
from marketplace.plugins.text import storable

_NOT_IN_TOOL_NAMES = re.compile(r"[^A-Za-z0-9_-]")


def scanned_id(namespace: str, below: tuple[str, ...], name: str, given_name: str | None) -> Identifiers:
    """A skill or command that is called by where it stands: `below` are the folders above it, `name` its own.

    `given_name` is that of its front matter, under which it can be called as well.
    """
    canonical = _qualified(namespace, below, name)
    if given_name is None:
        return Identifiers(canonical)
    alias = with_namespace(namespace, below, given_name)
    return Identifiers(canonical, () if alias == canonical else (alias,), _bare(given_name))


def pointed_id(namespace: str, name: str, given_name: str | None) -> Identifiers:
    """A skill that a path points at: called by its front matter's name, else its folder's."""
    if given_name is None:
        return Identifiers(_qualified(namespace, (), name))
    return Identifiers(with_namespace(namespace, (), given_name), (), _bare(given_name))


def agent_id(namespace: str, below: tuple[str, ...], name: str) -> Identifiers:
    """`name` is that of the front matter, else the file's stem. Agents answer to nothing else."""
    return Identifiers(_qualified(namespace, below, name))


def workflow_id(namespace: str, name: str) -> Identifiers:
    return Identifiers(_qualified(namespace, (), name))


def mcp_server_id(namespace: str, key: str) -> Identifiers:
    return Identifiers(storable(f"plugin:{namespace}:{key}"))


def mcp_tool_prefix(namespace: str, key: str) -> str:
    """What the names of a server's tools begin with."""
    return f"mcp__plugin_{in_tool_names(namespace)}_{in_tool_names(key)}__"


def with_namespace(namespace: str, below: tuple[str, ...], given_name: str) -> str:
    """A front matter's name with its prefix; one that has the namespace already keeps it."""
    if given_name.startswith(f"{namespace}:"):
        return storable(given_name)
    return _qualified(namespace, below, given_name)


def _qualified(namespace: str, below: tuple[str, ...], name: str) -> str:
    return storable(":".join((namespace, *below, name)))


def _bare(given_name: str) -> str | None:
    return None if ":" in given_name else storable(given_name)


def in_tool_names(name: str) -> str:
    """A namespace or a server's key as the names of MCP tools hold it."""
    return _NOT_IN_TOOL_NAMES.sub("_", name)
