"""The `---` block at the head of a Markdown file."""

import re
from typing import Any, NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.yaml_values import NotYaml, decode_yaml

_OPENING = re.compile(r"---[ \t]*\r?\n")
_BLOCK = re.compile(r"---[ \t]*\r?\n(.*?)(?<=\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE = re.compile(r"([A-Za-z_][\w-]*):[ \t]+(\S.*)")
_SPECIAL = re.compile(r"[\[\]{}#&*!|>%@`]|:(?:\s|$)")
# `|`, `>-` and the like begin a block of text; they are no values themselves.
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


class FrontMatter(NamedTuple):
    """`values` is empty where there is no block or it cannot be read; `fault` then says why it cannot."""

    values: dict[str, Any]
    body: str
    fault: str | None = None


def split_front_matter(text: str) -> FrontMatter:
    """`text` without BOM. Never raises."""
    match = _BLOCK.match(text)
    if match is None:
        fault = "its front matter has no end" if _OPENING.match(text) else None
        return FrontMatter({}, text, fault)
    body = text[match.end() :]
    if len(match[1]) > limits.FRONT_MATTER_CHARACTERS:
        return FrontMatter({}, body, "its front matter is too long")
    return _read(match[1], body)


def body_of(text: str) -> str:
    """What `split_front_matter` takes for the body, without reading the block."""
    match = _BLOCK.match(text)
    return text[match.end() :] if match else text


def _read(block: str, body: str) -> FrontMatter:
    try:
        value = decode_yaml(block)
    except NotYaml as error:
        try:
            value = decode_yaml(_rescued(block))
        except NotYaml:
            return FrontMatter({}, body, f"its front matter is not valid YAML: {error}")
    if value is None:
        return FrontMatter({}, body)
    if not isinstance(value, dict):
        return FrontMatter({}, body, "its front matter is not a map")
    return FrontMatter(value, body)


def _rescued(block: str) -> str:
    """With quotes around the plain values that YAML stumbles over: `description: Use when: a, b`."""
    return "\n".join(map(_quoted_line, block.split("\n")))


def _quoted_line(line: str) -> str:
    # Cut off here, because a pattern would look at the spaces inside a line again and again.
    match = _LINE.fullmatch(line.rstrip(" \t\r"))
    if match is None or _is_quoted(match[2]) or _BLOCK_HEADER.fullmatch(match[2]):
        return line
    if not _SPECIAL.search(match[2]):
        return line
    escaped = match[2].replace("\\", "\\\\").replace('"', '\\"')
    return f'{match[1]}: "{escaped}"'


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]
