"""The files of one plugin as they are served: content in the place of symlinks, modes kept."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from marketplace.plugins.component_fields import paths_in
from marketplace.plugins.errors import FileUnreadable, PluginError
from marketplace.plugins.merging import MARKETPLACE
from marketplace.serving import limits
from marketplace.serving.sources import PluginFiles
from marketplace.serving.view import ServedPlugin

SKILLS = "skills"
HOOKS = "hooks/hooks.json"
# Where the whole repository is the plugin. Attributes would have git on the client look for Git LFS.
_NEVER = {".git", ".gitmodules", ".gitattributes", "git~1"}


class ServedFile(NamedTuple):
    """`path` is below the plugin's folder."""

    path: str
    is_executable: bool
    content: bytes


class NotServable(PluginError):
    """Why a plugin cannot be served, in a sentence for the person who has it in their stack."""


def served_files(served: ServedPlugin, files: PluginFiles) -> Iterator[ServedFile]:
    """One at a time in memory. Raises NotServable, TreeTooLarge, FileUnreadable, RepositoryDamaged."""
    left = limits.PLUGIN_BYTES
    for number, found in enumerate(files.layout.expanded(files.folder)):
        if number >= limits.PLUGIN_FILES:
            raise NotServable(f"It has more than {limits.PLUGIN_FILES} files.")
        if _is_left_out(found.below) or not _is_its_own(served, found.below):
            continue
        size = files.layout.size(found.path)
        left -= size
        if size > limits.FILE_BYTES or left < 0:
            raise NotServable(
                f"It is too large: at most {limits.FILE_BYTES >> 20} MiB a file and "
                f"{limits.PLUGIN_BYTES >> 20} MiB together are served."
            )
        content = files.tree.read(found.path, limits.FILE_BYTES)
        if len(content) != size:
            raise FileUnreadable("A file is shorter than it should be.")
        yield ServedFile(found.below, files.layout.is_executable(found.path), content)


def _is_left_out(path: str) -> bool:
    return path == MARKETPLACE or any(map(_is_gits_own, path.split("/")))


def _is_gits_own(name: str) -> bool:
    """Also as macOS and Windows write it: a client would refuse the whole marketplace for such a name."""
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return seen.partition(":")[0].rstrip(". ").casefold() in _NEVER


def _is_its_own(served: ServedPlugin, path: str) -> bool:
    """Of plugins that share their marketplace's root, each has the skills that its entry lists, if it lists
    any (docs/PLUGINS.md). Elsewhere all of `skills/` would be loaded, so the others' are not copied."""
    if served.upload or served.plugin.source_path or not path.startswith(f"{SKILLS}/"):
        return True
    listed = paths_in(served.entry["skills"]) if served.entry.get("skills") is not None else []
    if not listed or {"", SKILLS} & set(listed):
        return True
    return any(path == one or path.startswith(f"{one}/") for one in listed)
