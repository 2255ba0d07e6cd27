"""Where a marketplace's entry says its plugin is."""

import re
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.errors import DoesNotLoad
from marketplace.plugins.paths import joined, simplified
from marketplace.plugins.records import Source, SourceKind
from marketplace.plugins.text import quoted, shortened

_CREDENTIALS = re.compile(r"(?i)^([a-z][a-z0-9+.-]*://)[^/?#]*@")
_SHORTHAND = re.compile(r"[\w.-]+/[\w.-]+")
# kind -> the key it cannot do without
_REQUIRED = {
    SourceKind.GITHUB: ("repo",),
    SourceKind.URL: ("url",),
    SourceKind.GIT_SUBDIR: ("url", "path"),
    SourceKind.NPM: ("package",),
    SourceKind.ARCHIVE: ("url",),
    SourceKind.COMMAND: ("command",),
}


def read_source(value: Any, plugin_root: str | None) -> Source:
    """The `source` of an entry; `plugin_root` is metadata.pluginRoot, simplified. Raises DoesNotLoad."""
    if isinstance(value, str):
        return Source(SourceKind.FOLDER, _folder(value, plugin_root))
    if isinstance(value, dict):
        return _remote(value)
    raise DoesNotLoad(
        "its `source` is missing" if value is None else "its `source` is neither a path nor an object"
    )


def _folder(value: str, plugin_root: str | None) -> str:
    check_relative(value, "source")
    if value == "." or value.startswith("./"):
        return simplified(value)
    if "/" in value or not value.strip():
        raise DoesNotLoad(f"its source {quoted(value)} does not begin with `./`")
    if plugin_root is None:
        raise DoesNotLoad(f"its source {quoted(value)} needs `metadata.pluginRoot`, which is not set")
    return joined(plugin_root, value)


def check_relative(value: str, what: str) -> None:
    """Raises DoesNotLoad for a path that leads out of the repository, or would on Windows."""
    if value.startswith("/"):
        raise DoesNotLoad(f"its {what} {quoted(value)} is an absolute path")
    if ".." in value:
        raise DoesNotLoad(f"its {what} {quoted(value)} holds `..`")
    if "\\" in value or "\0" in value:
        raise DoesNotLoad(f"its {what} {quoted(value)} holds a backslash or a NUL")


def _remote(value: dict[str, Any]) -> Source:
    kind = _kind(value.get("source"))
    for key in _REQUIRED[kind]:
        if not _text(value, key):
            raise DoesNotLoad(f"its source of kind {kind} has no `{key}`")
    if kind is SourceKind.GIT_SUBDIR:
        check_relative(_text(value, "path"), "path")
    return Source(
        kind,
        path=simplified(_text(value, "path")),
        url=_url(value, kind),
        ref=_text(value, "ref"),
        sha=_text(value, "sha") or _text(value, "sha256"),
        package=_text(value, "package"),
        version=_text(value, "version"),
        command=_text(value, "command"),
    )


def _kind(name: Any) -> SourceKind:
    known = {str(kind): kind for kind in _REQUIRED}
    if not isinstance(name, str) or name not in known:
        raise DoesNotLoad(f"its source is of an unknown kind, {quoted(name)}")
    return known[name]


def _url(value: dict[str, Any], kind: SourceKind) -> str:
    if kind is SourceKind.NPM:
        return without_credentials(_text(value, "registry"))
    url = _text(value, "repo") if kind is SourceKind.GITHUB else _text(value, "url")
    if kind in (SourceKind.GITHUB, SourceKind.GIT_SUBDIR) and _SHORTHAND.fullmatch(url):
        return f"https://github.com/{url}"
    return without_credentials(url)


def without_credentials(url: str) -> str:
    return _CREDENTIALS.sub(r"\1", url)


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    return shortened(text, limits.PATH_LENGTH) if isinstance(text, str) else ""
