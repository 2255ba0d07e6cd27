"""One version of an item of the flea market: what was found, what it runs, its files, what it changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from accounts.errors import AgnesError
from marketplace.catalogue.components import components_of
from marketplace.catalogue.storing import fields_of
from marketplace.models import Component, Plugin, StoreVersion, VersionState
from marketplace.pages.findings import Group, grouped, place_of
from marketplace.pages.runs import Run, runs_of
from marketplace.plugins.trees.tree import Entry
from marketplace.store.differences import Differences, differences
from marketplace.store.packs import read_pack
from marketplace.store.seeing import files_of
from telemetry.admin.formats import words

SCRIPTS = (
    *(".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd"),
    *(".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php"),
)
# What the parsed components tell in full.
TOLD_BY_COMPONENTS = frozenset({"hook", "monitor", "server"})


@dataclass(frozen=True)
class VersionDetails:
    """`lost` says why its files cannot be read. `changes` is None where there is nothing to compare."""

    version: StoreVersion
    findings: list[Group]
    runs: list[Run] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    changes: Differences | None = None
    lost: str = ""

    @property
    def is_held(self) -> bool:
        return self.version.state == VersionState.HELD


def served_details(version: StoreVersion, plugin: Plugin, components: Iterable[Component]) -> VersionDetails:
    """Of what is in the catalogue, where its parts are known."""
    found = grouped(version.findings)
    try:
        files = files_of(version)
    except AgnesError as error:
        return VersionDetails(version, found, lost=error.text)
    return VersionDetails(version, found, _runs(version, components, plugin.executables, files), files)


def version_details(version: StoreVersion, *, compared: bool) -> VersionDetails:
    """Of any version; its files are read for it. With `compared` a held one is held against the served."""
    found = grouped(version.findings)
    try:
        part, files = read_pack(version), files_of(version)
        is_held = version.state == VersionState.HELD
        changes = differences(version.entity.served, version) if compared and is_held else None
    except AgnesError as error:
        return VersionDetails(version, found, lost=error.text)
    runs = _runs(version, components_of(Plugin(), part.record), fields_of(part)["executables"], files)
    return VersionDetails(version, found, runs, files, changes)


def _runs(
    version: StoreVersion, components: Iterable[Component], executables: list[str], files: list[Entry]
) -> list[Run]:
    return [
        *runs_of(components, executables),
        *_scripts(files, executables),
        *(_power(it) for it in version.findings if _is_power(it)),
    ]


def _scripts(files: list[Entry], executables: list[str]) -> Iterator[Run]:
    for file in files:
        is_script = file.is_executable or file.path.lower().endswith(SCRIPTS)
        if is_script and file.path not in executables:
            yield Run("script", "when something calls it", file.path)


def _is_power(finding: dict[str, Any]) -> bool:
    return finding["severity"] == "show" and finding["code"] not in TOLD_BY_COMPONENTS


def _power(finding: dict[str, Any]) -> Run:
    return Run(words(finding["code"]), f"in {place_of(finding)}", finding["text"])
