"""What manifest and entry declare together: `strict`, and which of them counts."""

from dataclasses import dataclass
from typing import Any

from marketplace.plugins.component_fields import COMPONENT_FIELDS, check_fields, paths_in
from marketplace.plugins.errors import DoesNotLoad

MARKETPLACE = ".claude-plugin/marketplace.json"
ENTRY = "the marketplace's entry"


@dataclass(frozen=True, slots=True)
class Declarations:
    """Component fields of plugin.json and of the entry. `has_manifest`: a plugin.json is read."""

    manifest: dict[str, Any]
    entry: dict[str, Any]
    has_manifest: bool

    def replaces(self, key: str) -> bool:
        """The manifest's key stands in place of the default folder. An entry's key only adds."""
        return key in self.manifest

    def paths(self, key: str) -> list[str]:
        """The manifest's paths, then the entry's, each once."""
        paths = [*paths_in(self.manifest.get(key)), *paths_in(self.entry.get(key))]
        return list(dict.fromkeys(paths))

    def has(self, key: str) -> bool:
        return key in self.manifest or key in self.entry


def merged(manifest: dict[str, Any] | None, entry: dict[str, Any]) -> Declarations:
    """Raises DoesNotLoad where they contradict each other or a path of the entry is refused."""
    fields = {key: entry[key] for key in COMPONENT_FIELDS if entry.get(key) is not None}
    if manifest is not None and fields and entry.get("strict") is False:
        named = ", ".join(f"`{key}`" for key in fields)
        raise DoesNotLoad(f"`strict` is false, and {named} in {ENTRY} conflicts with the plugin.json")
    # Hooks of an entry that are no object are an error of their own, which leaves the rest alone.
    check_fields({key: value for key, value in fields.items() if key != "hooks"}, ENTRY)
    declared = {key: manifest[key] for key in COMPONENT_FIELDS if key in manifest} if manifest else {}
    return Declarations(declared, fields, manifest is not None)
