"""Files of one kind in a default folder or where a field says, one level deep."""

from collections.abc import Iterator
from typing import NamedTuple

from marketplace.plugins.paths import joined
from marketplace.plugins.plugin_folder import PluginFolder


class Place(NamedTuple):
    """Where files of a kind are: in `folder`, or at the paths of `field`."""

    field: str
    folder: str
    ending: str


def declared_files(plugin: PluginFolder, place: Place) -> Iterator[tuple[str, str]]:
    """(path, real path) of each file, once; the manifest's field stands in place of the folder."""
    paths = plugin.declared.paths(place.field)
    return files_at(plugin, place, paths, with_default=not plugin.declared.replaces(place.field))


def files_at(
    plugin: PluginFolder, place: Place, paths: list[str], *, with_default: bool
) -> Iterator[tuple[str, str]]:
    """(path, real path) of each file, once. `paths` are files and folders below the plugin."""
    seen: set[str] = set()
    for path in _candidates(plugin, place, paths, with_default):
        real = plugin.layout.file(path)
        if real is not None and real not in seen:
            seen.add(real)
            yield path, real


def _candidates(plugin: PluginFolder, place: Place, paths: list[str], with_default: bool) -> Iterator[str]:
    if with_default:
        yield from _in_folder(plugin, plugin.path(place.folder), place.ending)
    for below in paths:
        path = plugin.path(below)
        if plugin.layout.folder(path) is not None:
            yield from _in_folder(plugin, path, place.ending)
        elif plugin.layout.file(path) is not None and path.endswith(place.ending):
            yield path
        else:
            plugin.missing(place.field, below)


def _in_folder(plugin: PluginFolder, folder: str, ending: str) -> Iterator[str]:
    return (joined(folder, name) for name in plugin.layout.names(folder) if name.endswith(ending))
