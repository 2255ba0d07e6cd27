"""A view as a bare repository."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from marketplace.plugins.errors import PluginError
from marketplace.plugins.manifest import MANIFEST, MISPLACED_MANIFEST
from marketplace.plugins.merging import MARKETPLACE
from marketplace.serving import entries, sources
from marketplace.serving.contents import HOOKS, ServedFile, served_files
from marketplace.serving.sources import Sources
from marketplace.serving.view import ServedPlugin, View
from marketplace.serving.writing import Writer

PLUGINS = "plugins"
COMMIT, LEFT_OUT = "agnes-commit", "agnes-left-out.json"
_MANIFESTS = (MANIFEST, MISPLACED_MANIFEST)
_LOOKED_AT = (*_MANIFESTS, HOOKS)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def build(view: View, folder: Path) -> None:
    """Into a folder that does not exist. Raises UpstreamMissing, RepositoryDamaged."""
    left_out: dict[int, str] = {}
    folder.mkdir(mode=0o700, parents=True)
    with closing(Writer(folder)) as writer, sources.opened() as opened:
        listed = list(_entries(view, writer, opened, left_out))
        writer.add_file(MARKETPLACE, entries.marketplace_json(view, listed))
        (folder / COMMIT).write_text(writer.commit())
    (folder / LEFT_OUT).write_text(json.dumps(left_out))


def _entries(
    view: View, writer: Writer, opened: Sources, left_out: dict[int, str]
) -> Iterator[dict[str, Any]]:
    for served in view.plugins:
        try:
            yield entries.remote_entry(served) if served.is_remote else _add(served, writer, opened)
        except PluginError as error:
            left_out[served.plugin.pk] = str(error)
            writer.remove_files(_folder(served))


def _add(served: ServedPlugin, writer: Writer, opened: Sources) -> dict[str, Any]:
    """Its files are written, and its entry returned. The version's hash is that of the upstream's files, so
    that the version which is put into some of them does not change it."""
    folder = _folder(served)
    digest = hashlib.blake2b(entries.components_in(served.entry), digest_size=16)
    kept: dict[str, ServedFile] = {}
    for file in served_files(served, opened.files_of(served)):
        if file.path in _LOOKED_AT:
            kept[file.path] = file
            identity = hashlib.sha1(file.content, usedforsecurity=False).hexdigest()
        else:
            identity = _write(writer, folder, file)
        digest.update(f"{file.path}\0{file.is_executable}\0{identity}\0".encode("utf-8", "surrogateescape"))
    return _finish(served, writer, kept, digest.hexdigest())


def _finish(served: ServedPlugin, writer: Writer, kept: dict[str, ServedFile], digest: str) -> dict[str, Any]:
    manifests = {path: kept[path].content for path in _MANIFESTS if path in kept}
    version = entries.version_with(entries.upstream_version(manifests, served.entry), digest)
    entry = served.entry
    if entries.needs_manifest(served, manifests):
        manifests[MANIFEST] = entries.made_manifest(served, version)
        entry = entries.without_moved(entry)
        if "hooks" in served.entry:
            # They stand in place of this file.
            kept.pop(HOOKS, None)
    for path, content in manifests.items():
        kept[path] = ServedFile(path, False, entries.with_version(content, version))
    for file in kept.values():
        _write(writer, _folder(served), file)
    return entries.local_entry(served, _folder(served), version, entry)


def _write(writer: Writer, folder: str, file: ServedFile) -> str:
    return writer.add_file(f"{folder}/{file.path}", file.content, is_executable=file.is_executable)


def _folder(served: ServedPlugin) -> str:
    """Below the repository's root. A name that cannot be a folder everywhere has a hash for one."""
    if _PLAIN.fullmatch(served.name):
        return f"{PLUGINS}/{served.name}"
    return f"{PLUGINS}/plugin-{hashlib.blake2b(served.name.encode(), digest_size=8).hexdigest()}"
