"""Skills: a folder with a file that is called exactly SKILL.md."""

from collections.abc import Iterator

from marketplace.plugins.components.front_matter_fields import SKILL_FIELDS, settings
from marketplace.plugins.components.hooks import handlers_in
from marketplace.plugins.identifiers import pointed_id, scanned_id
from marketplace.plugins.paths import base_name, joined
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.reading import Markdown
from marketplace.plugins.records import Component, ComponentKind, Identifiers
from marketplace.plugins.text import storable
from marketplace.plugins.values import as_description, as_text

SKILL_FILE = "SKILL.md"
DEFAULT_FOLDER = "skills"


def read_skills(plugin: PluginFolder) -> Iterator[Component]:
    # The real paths of the files that were read: each is one skill, of its first place.
    seen: set[str] = set()
    for below in _folders(plugin):
        yield from _in_folder(plugin, below, seen)


def _folders(plugin: PluginFolder) -> Iterator[str]:
    """The folders to look into, below the plugin's root."""
    listed = plugin.declared.paths("skills")
    has_default = plugin.layout.folder(plugin.path(DEFAULT_FOLDER)) is not None
    if not has_default and not plugin.declared.has("skills"):
        if plugin.layout.file(plugin.path(SKILL_FILE)):
            yield ""
        return
    if has_default and not _only_listed(plugin, listed):
        yield DEFAULT_FOLDER
    for below in listed:
        if plugin.layout.folder(plugin.path(below)) is None:
            plugin.missing("skills", below)
        elif below != DEFAULT_FOLDER:
            yield below


def _only_listed(plugin: PluginFolder, listed: list[str]) -> bool:
    """Several entries can share the marketplace's root: each then has the skills that it lists."""
    return plugin.shares_root and bool(listed) and not {"", DEFAULT_FOLDER} & set(listed)


def _in_folder(plugin: PluginFolder, below: str, seen: set[str]) -> Iterator[Component]:
    folder = plugin.path(below)
    if plugin.layout.file(joined(folder, SKILL_FILE)):
        name = base_name(below) or plugin.namespace
        yield from _skill(plugin, joined(folder, SKILL_FILE), name, seen, pointed=True)
        return
    # Of two names for one skill its own comes first, a symlink's second.
    names = plugin.layout.names(folder)
    for name in sorted(
        names, key=lambda name: plugin.layout.resolve(joined(folder, name)) != joined(folder, name)
    ):
        yield from _skill(plugin, joined(folder, name, SKILL_FILE), name, seen, pointed=False)


def _skill(
    plugin: PluginFolder, path: str, name: str, seen: set[str], *, pointed: bool
) -> Iterator[Component]:
    real = plugin.layout.file(path)
    if real is None or real in seen:
        return
    seen.add(real)
    markdown = plugin.markdown(real, path)
    given_name = as_text(markdown.values.get("name"))
    if pointed:
        yield skill_component(path, name, markdown, pointed_id(plugin.namespace, name, given_name))
    else:
        yield skill_component(path, name, markdown, scanned_id(plugin.namespace, (), name, given_name))


def skill_component(
    path: str,
    name: str,
    markdown: Markdown,
    identifiers: Identifiers,
    kind: ComponentKind = ComponentKind.SKILL,
) -> Component:
    """A skill or a command; `name` stands where its front matter has none."""
    values = markdown.values
    details = settings(values, SKILL_FIELDS)
    hooks = [handler for _, handler in handlers_in(values.get("hooks"))]
    if hooks:
        details["hooks"] = hooks
    return Component(
        kind,
        storable(as_text(values.get("name")) or name),
        storable(path),
        identifiers,
        as_description(values.get("description")) or markdown.opening,
        details,
    )
