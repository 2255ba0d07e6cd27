"""Paths of plugin.json that lead out of the plugin, and sources that are commands."""

import posixpath
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import PureWindowsPath
from typing import Any

from marketplace.guardrails.checks.configurations import commands_of
from marketplace.guardrails.checks.inline_shell import inline_shell
from marketplace.guardrails.citing import reject
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject, objects_in
from marketplace.plugins.component_fields import COMPONENT_FIELDS
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.values import as_object

_BELOW_ROOT = re.compile(r"\$\{?CLAUDE_PLUGIN_ROOT\}?[\"']?(/[^\s\"';|&)]{1,1000})")
_CURE = "Begin each path with ./ and stay inside the plugin."
# Objects in these are configurations, whose texts are commands rather than paths of the plugin.
_CONFIGURED_INLINE = ("hooks", "mcpServers", "lspServers")


def check_component_paths(subject: Subject) -> Iterator[Finding]:
    manifest = as_object(subject.plugin.manifest)
    for key in COMPONENT_FIELDS:
        for path in _paths(manifest.get(key), inline=key in _CONFIGURED_INLINE):
            if _leads_outside(path):
                yield reject(
                    "path_outside", f"`{key}` names “{path}”, outside of the plugin.", _CURE, MANIFEST
                )
    if any(item.get("source") == "command" for item in objects_in(manifest)):
        text = "A source is a command that runs on the client."
        yield reject("source_command", text, "Name a repository or a package instead.", MANIFEST)


def check_paths_in_commands(subject: Subject) -> Iterator[Finding]:
    """`${CLAUDE_PLUGIN_ROOT}/../…` is another plugin's file, or the user's."""
    inline = ((path, command) for path, _, command in inline_shell(subject))
    for path, command in chain(commands_of(subject), inline):
        for match in _BELOW_ROOT.finditer(command):
            if posixpath.normpath(match[1].lstrip("/")).startswith(".."):
                text = f"A command names “{match[0]}”, outside of the plugin."
                yield reject("path_outside", text, _CURE, path)


def _paths(value: Any, *, inline: bool, depth: int = 4) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _paths(item, inline=inline, depth=depth - 1)
    elif isinstance(value, dict) and depth and not inline:
        for key, item in value.items():
            if key not in ("content", "description", "command", "name", "when"):
                yield from _paths(item, inline=inline, depth=depth - 1)


def _leads_outside(path: str) -> bool:
    if path.startswith(("https://", "http://")):
        return False
    windows = PureWindowsPath(path)
    return ".." in windows.parts or bool(windows.drive or windows.root) or path.startswith("~")
