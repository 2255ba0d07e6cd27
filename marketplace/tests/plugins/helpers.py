"""Small repositories, written as Python dicts."""

import json
from collections.abc import Mapping
from typing import Any

from marketplace.plugins import parse_marketplace
from marketplace.plugins.exploding import rows_of_plugin
from marketplace.plugins.records import ComponentKind, MarketplaceRecord, PluginRecord
from marketplace.plugins.trees.memory_tree import MemoryTree

MARKETPLACE = ".claude-plugin/marketplace.json"
Files = Mapping[str, Any]


def tree(files: Files, **rest: Any) -> MemoryTree:
    """Content may be bytes, text, or what becomes JSON."""
    return MemoryTree({path: _bytes(content) for path, content in files.items()}, **rest)


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def marketplace(
    *entries: Any, files: Files | None = None, links: Any = None, **fields: Any
) -> MarketplaceRecord:
    """A marketplace `shop` with these entries."""
    content = {"name": "shop", "owner": {"name": "Ada"}, "plugins": list(entries), **fields}
    return parse_marketplace(tree({MARKETPLACE: content, **(files or {})}, links=links))


def plugin(
    files: Files, entry: Any = None, *, manifest: Any = None, root: str = "kit", links: Any = None
) -> PluginRecord:
    """The only plugin of a marketplace: entry `kit`, in the folder `root`."""
    inside = {f"{root}/{path}" if root else path: content for path, content in files.items()}
    if manifest is not None:
        inside[f"{root}/.claude-plugin/plugin.json".lstrip("/")] = manifest
    source = {"name": "kit", "source": f"./{root}"}
    [record] = marketplace({**source, **(entry or {})}, files=inside, links=links).plugins
    return record


def ids(record: PluginRecord, kind: str) -> list[str]:
    """Canonical ids of the components of a kind, in their order."""
    return [part.identifiers.canonical for part in _parts(record, kind) if part.identifiers]


def names(record: PluginRecord, kind: str) -> list[str]:
    return [part.name for part in _parts(record, kind)]


def only(record: PluginRecord, kind: str) -> Any:
    [part] = _parts(record, kind)
    return part


def _parts(record: PluginRecord, kind: str) -> list[Any]:
    assert record.components is not None
    return [part for part in record.components if part.kind is ComponentKind(kind)]


def rows(record: PluginRecord) -> list[tuple[str, str, str]]:
    """(kind, identifier, canonical id) of each row of attribution."""
    return [(str(row.kind), row.value, row.canonical) for row in rows_of_plugin(record)]


def messages(record: PluginRecord | MarketplaceRecord, level: str = "") -> str:
    return "\n".join(f"{item.level}: {item.message}" for item in record.findings if level in ("", item.level))


def markdown(**front_matter: Any) -> str:
    """A file with this front matter."""
    lines = "".join(f"{key}: {value}\n" for key, value in front_matter.items())
    return f"---\n{lines}---\nDo it.\n"
