"""The `---` block of skills, commands and agents: small, plain, of the right types."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from marketplace.guardrails import limits
from marketplace.guardrails.citing import hold, reject
from marketplace.guardrails.normalising.slugs import NAME, NAME_RULE
from marketplace.guardrails.normalising.texts import is_utf8
from marketplace.guardrails.records import Finding, StoredFile
from marketplace.guardrails.subject import Subject
from marketplace.plugins import limits as plugin_limits
from marketplace.plugins.front_matter import body_of, split_front_matter
from marketplace.plugins.records import ComponentKind

_WITH_FRONT_MATTER = (
    ComponentKind.SKILL,
    ComponentKind.COMMAND,
    ComponentKind.AGENT,
    ComponentKind.OUTPUT_STYLE,
)
# The one in C where there is one: that in Python takes minutes for what is nested deeply.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BLOCK = re.compile(r"---[ \t]*\r?\n(.*?)(?:(?<=\n)---[ \t]*(?:\r?\n|\Z)|\Z)", re.DOTALL)


def check_front_matter(subject: Subject) -> Iterator[Finding]:
    for path in _pages(subject):
        yield from _check_block(subject.files[path].content, path)


def check_all_front_matter(files: Mapping[str, StoredFile]) -> Iterator[Finding]:
    """The size of it all, before any of it is read."""
    left = limits.ALL_FRONT_MATTER_CHARACTERS
    for path, file in files.items():
        if path.lower().endswith(".md"):
            text = file.content[: plugin_limits.HEAD_BYTES].decode("utf-8-sig", "replace")
            left -= len(text) - len(body_of(text))
            if left < 0:
                what = f"All files have more than {limits.ALL_FRONT_MATTER_CHARACTERS} characters of it."
                yield reject("front_matter_too_long", what, "Put text below the blocks.", path, 1)
                return


def check_encoding(subject: Subject) -> Iterator[Finding]:
    for path in _pages(subject):
        if not is_utf8(subject.files[path].content):
            yield hold("not_utf8", "It is not plain text in UTF-8.", "Save it in UTF-8.", path)


def _pages(subject: Subject) -> list[str]:
    """What Claude Code reads a front matter of, and files that are meant to be skills."""
    paths = {part.path for part in subject.plugin.components or () if part.kind in _WITH_FRONT_MATTER}
    paths |= {path for path in subject.files if path.rpartition("/")[2].casefold() == "skill.md"}
    return sorted(path for path in paths & subject.files.keys() if path.lower().endswith(".md"))


def _check_block(content: bytes, path: str) -> Iterator[Finding]:
    text = content[: 4 * limits.FRONT_MATTER_BYTES].decode("utf-8-sig", "replace")
    match = _BLOCK.match(text)
    if match is None:
        return
    if len(match[1].encode()) > limits.FRONT_MATTER_BYTES:
        what = f"The block at its head is longer than {limits.FRONT_MATTER_BYTES} bytes."
        yield reject("front_matter_too_long", what, "Put text below the block.", path, 1)
        return
    if finding := _machinery(match[1], path):
        yield finding
        return
    page = split_front_matter(text)
    if page.fault:
        cure = "Close it with ---, and quote values that hold special characters."
        yield reject("front_matter_broken", f"{page.fault}.", cure, path, 1)
        return
    yield from _check_values(page.values, path)


def _machinery(block: str, path: str) -> Finding | None:
    """Tags, anchors and aliases, which make of a short text objects or a large one."""
    try:
        depth = 0
        for event in yaml.parse(block, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            what = "too many levels" if depth > plugin_limits.YAML_DEPTH else _what_it_does(event)
            if what is not None:
                line = event.start_mark.line + 2 if event.start_mark else None
                cure = "Write the value out, in quotes if it begins with ! & or *."
                return reject("front_matter_yaml", f"It uses {what} of YAML.", cure, path, line)
    except (yaml.YAMLError, RecursionError, ValueError):
        # Not YAML as it stands: Claude Code then quotes its values, and so does split_front_matter.
        return None
    return None


def _what_it_does(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "an alias"
    if getattr(event, "tag", None):
        return "a tag"
    return "an anchor" if getattr(event, "anchor", None) else None


def _check_values(values: dict[str, Any], path: str) -> Iterator[Finding]:
    name = values.get("name")
    if name is not None and not (_is_plain_number(name) or (isinstance(name, str) and NAME.fullmatch(name))):
        yield reject("front_matter_name", f"Its `name` is {name!r:.80}.", NAME_RULE, path, 2)
    description = values.get("description")
    if description is not None and not isinstance(description, str):
        text = f"Its `description` is a {type(description).__name__}."
        yield reject("front_matter_type", text, "Write it as text, in quotes.", path, 2)
    elif description and len(description) > limits.DESCRIPTION_CHARACTERS:
        text = f"Its `description` has {len(description)} characters."
        cure = f"Keep it within {limits.DESCRIPTION_CHARACTERS}; the rest belongs into the body."
        yield reject("front_matter_too_long", text, cure, path, 2)


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
