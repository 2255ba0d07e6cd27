"""Files of one kind in a default folder or where a field says, one level deep."""

from collections.abc import Iterator

from marketplace.plugins.paths import joined
from marketplace.plugins.plugin_folder import PluginFolder


def files_of(
    plugin: PluginFolder, key: str, default_folder: str, ending: str, paths: list[str], replaced: bool
) -> Iterator[tuple[str, str]]:
    """(path, real path) of each file, once. `paths` are what the field `key` names, below the plugin."""
    seen: set[str] = set()
    for path in _candidates(plugin, key, default_folder, ending, paths, replaced):
        real = plugin.layout.file(path)
        if real is not None and real not in seen:
            seen.add(real)
            yield path, real


def _candidates(
    plugin: PluginFolder, key: str, default_folder: str, ending: str, paths: list[str], replaced: bool
) -> Iterator[str]:
    if not replaced:
        yield from _in_folder(plugin, plugin.path(default_folder), ending)
    for below in paths:
        path = plugin.path(below)
        if plugin.layout.folder(path) is not None:
            yield from _in_folder(plugin, path, ending)
        elif plugin.layout.file(path) is not None and path.endswith(ending):
            yield path
        else:
            plugin.missing(key, below)


def _in_folder(plugin: PluginFolder, folder: str, ending: str) -> Iterator[str]:
    return (joined(folder, name) for name in plugin.layout.names(folder) if name.endswith(ending))
