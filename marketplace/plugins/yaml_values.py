"""YAML of unknown origin: YAML 1.2's plain types, no tags, bounded before anything is built.

Aliases count as what they stand for, so that what a short text says stays small for whoever walks it.
"""

import re
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from marketplace.plugins import limits
from marketplace.plugins.errors import PluginError

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYaml(PluginError):
    """The message is the reason."""


class _Loader(_Base):  # type: ignore[misc]
    """Types as in YAML 1.2's core schema, which Claude Code reads: `yes` and `2026-01-01` are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_RESOLVERS = [
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
]
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))


# Whatever opens a level of nesting: a bracket, an item of a list, a line that is indented.
_OPENS_LEVEL = re.compile(r"[\[{]|[-?]\s|\n ")


# What YAML refuses anywhere, and JavaScript's readers let pass: control characters of wrongly decoded text.
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def decode_yaml(text: str) -> Any:
    """The value of a YAML document, with U+FFFD for characters that it must not hold. Raises NotYaml."""
    text = _REFUSED.sub("\ufffd", text)
    try:
        if not _is_plain(text):
            _check_size(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotYaml(f"{error.problem or error.context}{where}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise NotYaml(str(error).partition("\n")[0]) from None


def _is_plain(text: str) -> bool:
    """Sure to be flat, without tags and aliases, as nearly all front matter is: saves reading it twice."""
    return "!" not in text and "&" not in text and len(_OPENS_LEVEL.findall(text)) < limits.YAML_DEPTH


def _check_size(text: str) -> None:
    """The compiled composer recurses without a limit of its own, so depth is counted beforehand."""
    count = 0
    # Of each collection that is open: its anchor, and the count before it. Of each anchor: how much it holds.
    opened: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "tag", None):
            raise NotYaml("it holds a tag")
        if isinstance(event, AliasEvent) and any(event.anchor == anchor for anchor, _ in opened):
            raise NotYaml("a value holds itself")
        count += sizes.get(event.anchor, 1) if isinstance(event, AliasEvent) else 1
        if isinstance(event, CollectionStartEvent):
            opened.append((event.anchor, count))
        elif isinstance(event, CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor:
                sizes[anchor] = count - before
        if len(opened) > limits.YAML_DEPTH or count > limits.YAML_EVENTS:
            raise NotYaml("it is nested too deeply or too large")
