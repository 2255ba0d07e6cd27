"""What hooks, servers, monitors and settings say: all texts of their files, more than the parser keeps."""

import shlex
from collections.abc import Iterator
from typing import Any

from marketplace.guardrails import limits
from marketplace.guardrails.subject import Subject, objects_in, strings_in
from marketplace.plugins.json_files import NotJson, decode_json
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.records import ComponentKind
from marketplace.plugins.values import as_object

SETTINGS = "settings.json"


def commands_of(subject: Subject) -> Iterator[tuple[str, str]]:
    """(path, text) of all that is said in configurations, more than what the parser keeps of them."""
    for path in configurations_of(subject):
        value = configuration(subject, path)
        yield from ((path, text) for text in strings_in(value))
        yield from ((path, line) for line in map(_line, objects_in(value)) if line)
    for component in subject.plugin.components or ():
        yield from ((component.path, text) for text in strings_in(component.details.get("hooks")))


def _line(item: dict[str, Any]) -> str:
    """Command and arguments, as one line for a shell."""
    command, words = item.get("command"), item.get("args")
    if not isinstance(command, str) or not isinstance(words, list):
        return ""
    return f"{command} {shlex.join(map(str, words))}"


def configurations_of(subject: Subject) -> list[str]:
    kinds = (ComponentKind.HOOK, ComponentKind.MCP_SERVER, ComponentKind.LSP_SERVER, ComponentKind.MONITOR)
    paths = {part.path for part in subject.plugin.components or () if part.kind in kinds}
    paths |= {SETTINGS, "hooks/hooks.json", ".mcp.json", ".lsp.json", "monitors/monitors.json", MANIFEST}
    return sorted(paths & subject.files.keys())


def configuration(subject: Subject, path: str) -> Any:
    file = subject.files[path]
    if file.size > limits.CONFIGURATION_BYTES:
        return None
    try:
        value = decode_json(file.content)
    except NotJson:
        # The parser has said so.
        return None
    if path == MANIFEST:
        keys = ("hooks", "mcpServers", "lspServers", "experimental", "settings", "channels")
        return [as_object(value).get(key) for key in keys]
    return value
