"""plugin.json: what it must hold, and what Claude Code forgives."""

from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.component_fields import check_fields
from marketplace.plugins.errors import DoesNotLoad, FileUnreadable
from marketplace.plugins.json_files import NotJson
from marketplace.plugins.paths import joined
from marketplace.plugins.reading import Reader
from marketplace.plugins.report import Report
from marketplace.plugins.text import quoted

MANIFEST = ".claude-plugin/plugin.json"
# At this place it is checked when the plugin is installed, and not read when it is loaded.
MISPLACED_MANIFEST = "plugin.json"
_TEXTS = ("displayName", "description", "version", "homepage", "repository", "license")


def read_manifest(reader: Reader, root: str, file: str = MANIFEST) -> dict[str, Any] | None:
    """The plugin.json of the plugin in folder `root`, None if it has none. Raises DoesNotLoad."""
    path = joined(root, file)
    if reader.layout.file(path) is None:
        return None
    try:
        manifest = reader.json(path)
    except NotJson as error:
        raise DoesNotLoad(f"{file} is not valid JSON: {error}") from error
    except FileUnreadable as error:
        raise DoesNotLoad(f"{file} is not readable: {error}") from error
    return checked_manifest(manifest, file)


def checked_manifest(manifest: Any, file: str) -> dict[str, Any]:
    """Raises DoesNotLoad where the installation fails."""
    if not isinstance(manifest, dict):
        raise DoesNotLoad(f"{file} is not a JSON object")
    fault = name_fault(manifest.get("name"))
    if fault:
        raise DoesNotLoad(f"the `name` in {file} {fault}")
    if not isinstance(manifest.get("dependencies", []), list):
        raise DoesNotLoad(f"`dependencies` in {file} is not a list")
    check_fields(manifest, file)
    return manifest


def name_fault(name: Any) -> str | None:
    """Why a plugin cannot have this name, None if it can."""
    if not isinstance(name, str) or not name.strip():
        return "is missing" if name is None else f"is no text: {quoted(name)}"
    if " " in name:
        return f"holds a space: {quoted(name)}"
    too_long = len(name) > limits.NAME_CHARACTERS
    return f"is longer than {limits.NAME_CHARACTERS} characters" if too_long else None


def note_wrong_types(fields: dict[str, Any], file: str, report: Report) -> None:
    """What describes the plugin and has a wrong type, while the plugin loads."""
    for key in _TEXTS:
        if fields.get(key) is not None and not isinstance(fields[key], str):
            report.warning(f"`{key}` in {file} is no text: some versions of Claude Code refuse that.")
    for key, kind, word in (("author", dict, "an object"), ("keywords", list, "a list")):
        if fields.get(key) is not None and not isinstance(fields[key], kind):
            report.note(f"`{key}` in {file} is ignored: it is not {word}.")
