"""Workflows: scripts in `workflows/`, or where `workflows` says. They are read as text, never run."""

import re
from collections.abc import Iterator

from marketplace.plugins import limits
from marketplace.plugins.components.named_files import Place, declared_files
from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.identifiers import workflow_id
from marketplace.plugins.paths import base_name
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import quoted, shortened, storable

PLACE = Place("workflows", "workflows", ".js")

# Enough for any description, and little enough for comments that never end.
META_CHARACTERS = 16 * 1024
_META = re.compile(r"^[ \t]*(?:export[ \t]+)?(?:const|let|var)[ \t]+meta[ \t]*=\s*\{", re.MULTILINE)
# What a script consists of, as far as finding the keys of one object needs it. A comment or text without an
# end goes on to that of the line or of all: nothing is looked at again and again.
_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>"(?:[^"\\\n]|\\(?:.|\Z))*"?|'(?:[^'\\\n]|\\(?:.|\Z))*'?|`(?:[^`\\]|\\(?:.|\Z))*`?)
    | (?P<word>[A-Za-z_$][\w$]*)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r?\n)|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def read_workflows(plugin: PluginFolder) -> Iterator[Component]:
    for path, real in declared_files(plugin, PLACE):
        meta = _meta(plugin, real, path)
        name = meta.get("name", "").strip()
        if not name:
            plugin.report.warning(f"{quoted(path)} has no `meta.name`: its file name stands in.", path)
            name = base_name(path).removesuffix(".js")
        yield Component(
            ComponentKind.WORKFLOW,
            storable(name),
            storable(path),
            workflow_id(plugin.namespace, name),
            shortened(storable(meta.get("description", ""))),
        )


def _meta(plugin: PluginFolder, real: str, path: str) -> dict[str, str]:
    try:
        return texts_of_meta(plugin.reader.head(real))
    except FileUnreadable as error:
        plugin.report.warning(f"{quoted(path)}: {error}", path)
        return {}


def texts_of_meta(script: str) -> dict[str, str]:
    """The keys of `meta = {…}` whose values are plain text; nothing of the objects inside it."""
    texts: dict[str, str] = {}
    key, before = "", ""
    for kind, token in _outer_tokens(script):
        if token == ":":
            key = before.strip("'\"")
        elif kind == "text" and before == ":" and key and _is_ended(token):
            texts.setdefault(key, _unescaped(token[1:-1]))
        before = token
    return texts


def _is_ended(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1]


def _outer_tokens(script: str) -> Iterator[tuple[str | None, str]]:
    """What stands in the object `meta` itself, until it ends."""
    start = _META.search(script)
    if start is None:
        return
    depth = 1
    for match in _TOKEN.finditer(script, start.end(), start.end() + META_CHARACTERS):
        kind, token = match.lastgroup, match[0]
        if kind == "mark":
            depth += (token in "{[(") - (token in "}])")
        if not depth:
            return
        if depth == 1 and kind != "skip":
            yield kind, token


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_meant, text[: 2 * limits.DESCRIPTION_CHARACTERS])


def _meant(match: re.Match[str]) -> str:
    if code := match[1] or match[2]:
        return chr(int(code, 16))
    return "" if match[3] else _ESCAPED.get(match[4], match[4])
