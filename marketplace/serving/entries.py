"""What the served marketplace.json and plugin.json say: versions that change exactly with the content."""

import json
import re
from collections.abc import Mapping
from typing import Any

from marketplace.plugins.component_fields import COMPONENT_FIELDS
from marketplace.plugins.json_files import decode_json
from marketplace.plugins.manifest import MANIFEST, MISPLACED_MANIFEST
from marketplace.plugins.metadata import version_of
from marketplace.serving.view import ServedPlugin, View

OWNER = {"name": "Agnes"}
# Where there is none of its own. The commit, which Claude Code takes then, would be another one each time
# that anything in the stack changes.
NO_VERSION = "0.0.0"
HASH_DIGITS = 8
VERSION_LENGTH = 64
# A version is the name of a folder on the client.
_NOT_IN_VERSIONS = re.compile(r"[^A-Za-z0-9._+-]+")
# Beside a plugin.json, Claude Code does not read these in an entry, or reads them otherwise.
_MOVED = ("mcpServers", "lspServers", "hooks")


def marketplace_json(view: View, entries: list[dict[str, Any]]) -> bytes:
    content: dict[str, Any] = {"name": view.name, "owner": OWNER, "plugins": entries}
    if view.renames:
        content["renames"] = view.renames
    return as_json(content)


def version_with(upstream: str, digest: str) -> str:
    """`1.4.0+3f9c2a1b`: what the plugin calls itself, and the beginning of its content's hash (hex)."""
    plain = _NOT_IN_VERSIONS.sub("-", upstream[:VERSION_LENGTH]).strip("-.+") or NO_VERSION
    return f"{plain}{'.' if '+' in plain else '+'}{digest[:HASH_DIGITS]}"


def upstream_version(manifests: Mapping[str, bytes], entry: dict[str, Any]) -> str:
    """As Claude Code finds it: plugin.json first, then the entry; '' for none."""
    for path in (MANIFEST, MISPLACED_MANIFEST):
        if path in manifests:
            return version_of(_object(manifests[path])) or version_of(entry)
    return version_of(entry)


def with_version(manifest: bytes, version: str) -> bytes:
    return as_json({**_object(manifest), "version": version})


def components_in(entry: dict[str, Any]) -> bytes:
    """What an entry adds to the content of its plugin."""
    return as_json({key: entry[key] for key in (*COMPONENT_FIELDS, "strict") if key in entry})


def needs_manifest(served: ServedPlugin, manifests: Mapping[str, bytes]) -> bool:
    """The entry's name is the namespace where there is no plugin.json: under another name it needs one."""
    return MANIFEST not in manifests and served.name != served.plugin.namespace


def made_manifest(served: ServedPlugin, version: str) -> bytes:
    moved = {key: served.entry[key] for key in _MOVED if key in served.entry}
    return as_json({"name": served.plugin.namespace, "version": version, **moved})


def without_moved(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry beside a manifest that was made."""
    return {key: value for key, value in entry.items() if key not in (*_MOVED, "strict")}


def local_entry(served: ServedPlugin, folder: str, version: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"name": served.name, "source": f"./{folder}", **entry, "version": version}


def remote_entry(served: ServedPlugin) -> dict[str, Any]:
    """Passed on as it is: its content and its version are elsewhere."""
    return {"name": served.name, **served.entry}


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"


def _object(manifest: bytes) -> dict[str, Any]:
    value = decode_json(manifest)
    return value if isinstance(value, dict) else {}
