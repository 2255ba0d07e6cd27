"""The component fields of a plugin.json or an entry: their forms, and the paths in them."""

from typing import Any

from marketplace.plugins.errors import DoesNotLoad
from marketplace.plugins.paths import simplified
from marketplace.plugins.text import quoted

COMPONENT_FIELDS = (
    "skills", "commands", "agents", "hooks", "mcpServers", "lspServers", "outputStyles", "workflows",
    "experimental",
)  # fmt: skip
_PATHS_OR_OBJECTS = ("hooks", "mcpServers", "lspServers")


def check_fields(fields: dict[str, Any], where: str) -> None:
    """Raises DoesNotLoad for what makes the installation fail. `where` names the file."""
    for key in COMPONENT_FIELDS:
        if key in fields:
            _check_field(key, fields[key], where)


def _check_field(key: str, value: Any, where: str) -> None:
    if key in _PATHS_OR_OBJECTS:
        items = [item for item in _listed(value) if not isinstance(item, dict)]
    elif key == "commands" and isinstance(value, dict):
        items = [item["source"] for item in value.values() if isinstance(item, dict) and "source" in item]
    elif key == "experimental":
        # Its shape is not settled: what cannot be used is noted where it is read.
        return
    else:
        items = _listed(value)
    for item in items:
        _check_path(key, item, where)


def _check_path(key: str, path: Any, where: str) -> None:
    if not isinstance(path, str):
        raise DoesNotLoad(f"`{key}` in {where} holds {quoted(path)}, which is no path")
    if key == "mcpServers" and path.startswith(("https://", "http://")):
        return
    if not path.startswith("./") and not (key == "skills" and path == "."):
        raise DoesNotLoad(f"the path {quoted(path)} of `{key}` in {where} does not begin with `./`")
    if ".." in path:
        raise DoesNotLoad(f"the path {quoted(path)} of `{key}` in {where} holds `..`")
    if key == "agents" and not path.endswith(".md"):
        raise DoesNotLoad(f"the path {quoted(path)} of `agents` in {where} is no file that ends in `.md`")


def paths_in(value: Any) -> list[str]:
    """The paths of a field that `check_fields` let through, each once; '' is the plugin's root."""
    return list(dict.fromkeys(simplified(item) for item in _listed(value) if isinstance(item, str)))


def items_in(value: Any) -> list[Any]:
    """Paths and inline objects of a field, nothing if it is absent."""
    return [] if value is None else _listed(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_bundle(path: str) -> bool:
    """A packed MCP server, in the plugin or on the web."""
    return path.endswith((".mcpb", ".dxt")) or path.startswith(("https://", "http://"))
