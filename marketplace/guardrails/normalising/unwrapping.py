"""Without junk, without the folder that was packed, in one Unicode form."""

import unicodedata
from collections.abc import Iterable

from marketplace.guardrails.archives.junk import is_junk
from marketplace.guardrails.archives.source_file import SourceFile

# A folder of one of these names is part of a plugin, and never one that was packed around it.
COMPONENT_FOLDERS = frozenset(
    {"skills", "commands", "agents", "hooks", "output-styles", "workflows", "monitors", "themes", "bin",
     ".claude-plugin"}
)  # fmt: skip


def unwrapped(files: Iterable[SourceFile]) -> tuple[dict[str, SourceFile], str]:
    """Files by path, and the name of the innermost folder that was taken away, '' for none."""
    tree = {unicodedata.normalize("NFC", file.name): file for file in files if not is_junk(file.name)}
    wrapper = ""
    while tops := {path.partition("/")[0] for path in tree}:
        [top, *others] = tops
        if others or top in tree or top.casefold() in COMPONENT_FOLDERS:
            break
        wrapper = top
        tree = {path.removeprefix(f"{top}/"): file for path, file in tree.items()}
    return tree, wrapper
