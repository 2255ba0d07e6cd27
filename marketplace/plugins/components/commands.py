"""Commands: Markdown files in `commands/`, or those that `commands` names."""

from collections.abc import Iterator
from typing import Any

from marketplace.plugins.components.skills import SKILL_FILE, skill_component
from marketplace.plugins.identifiers import scanned_id
from marketplace.plugins.layout import Found
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.merging import MARKETPLACE
from marketplace.plugins.paths import base_name, joined, parent, simplified, stem
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.reading import Markdown
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import first_paragraph, quoted
from marketplace.plugins.values import as_object, as_text

DEFAULT_FOLDER = "commands"


def read_commands(plugin: PluginFolder) -> Iterator[Component]:
    # The real paths of the files that were read: each is one command, of its first place.
    seen: set[str] = set()
    if not plugin.declared.replaces("commands"):
        yield from _in_folder(plugin, plugin.path(DEFAULT_FOLDER), seen)
    yield from _mapped(plugin, plugin.declared.manifest, plugin.path(MANIFEST), seen)
    yield from _mapped(plugin, plugin.declared.entry, MARKETPLACE, seen)
    for below in plugin.declared.paths("commands"):
        yield from _named(plugin, below, seen)


def _named(plugin: PluginFolder, below: str, seen: set[str], name: str | None = None) -> Iterator[Component]:
    """A file or a folder that `commands` names; `name` is what a map calls the file."""
    path = plugin.path(below)
    if plugin.layout.folder(path) is not None:
        yield from _in_folder(plugin, path, seen)
    elif plugin.layout.file(path) is not None and is_markdown(path):
        yield from _command(plugin, path, (), name or stem(base_name(path)), seen)
    else:
        plugin.missing("commands", below)


def _mapped(
    plugin: PluginFolder, declared: dict[str, Any], declared_in: str, seen: set[str]
) -> Iterator[Component]:
    """`commands` as an object: name -> {source} or {content}, and settings as in a front matter."""
    for name, value in as_object(declared.get("commands")).items():
        command = as_object(value)
        source, content = command.get("source"), command.get("content")
        if isinstance(source, str):
            yield from _named(plugin, simplified(source), seen, name)
        elif isinstance(content, str):
            markdown = Markdown(command, first_paragraph(content))
            yield _component(plugin, declared_in, (), name, markdown)
        else:
            plugin.report.error(f"The command {quoted(name)} has neither `source` nor `content`.")


def _in_folder(plugin: PluginFolder, folder: str, seen: set[str]) -> Iterator[Component]:
    files = [found for found in plugin.layout.walk(folder) if is_markdown(found.below)]
    skills = {parent(found.below) for found in files if base_name(found.below) == SKILL_FILE}
    for found in files:
        skill = _outermost(parent(found.below), skills)
        if skill is None:
            name = stem(base_name(found.below))
            yield from _command(
                plugin, joined(folder, found.below), _folders(parent(found.below)), name, seen
            )
        elif found.below == joined(skill, SKILL_FILE):
            yield from _skill(plugin, folder, skill, found, seen)


def _outermost(folder: str, skills: set[str]) -> str | None:
    """The topmost of these folders that holds `folder` or is it."""
    if "" in skills:
        return ""
    parts = folder.split("/")
    heads = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return next((head for head in heads if head in skills), None)


def _skill(
    plugin: PluginFolder, folder: str, below: str, found: Found, seen: set[str]
) -> Iterator[Component]:
    """A folder with SKILL.md among the commands: one skill, named by its path."""
    if found.path in seen:
        return
    seen.add(found.path)
    path = joined(folder, found.below)
    markdown = plugin.markdown(found.path, path)
    name = base_name(below) or base_name(folder) or plugin.namespace
    given_name = as_text(markdown.values.get("name"))
    identifiers = scanned_id(plugin.namespace, _folders(parent(below)), name, given_name)
    yield skill_component(path, name, markdown, identifiers)


def _command(
    plugin: PluginFolder, path: str, below: tuple[str, ...], name: str, seen: set[str]
) -> Iterator[Component]:
    real = plugin.layout.file(path)
    if real is None or real in seen:
        return
    seen.add(real)
    yield _component(plugin, path, below, name, plugin.markdown(real, path))


def _component(
    plugin: PluginFolder, path: str, below: tuple[str, ...], name: str, markdown: Markdown
) -> Component:
    identifiers = scanned_id(plugin.namespace, below, name, as_text(markdown.values.get("name")))
    return skill_component(path, name, markdown, identifiers, ComponentKind.COMMAND)


def _folders(below: str) -> tuple[str, ...]:
    return tuple(below.split("/")) if below else ()


def is_markdown(path: str) -> bool:
    """Any spelling of `.md` counts for commands."""
    return path.lower().endswith(".md")
