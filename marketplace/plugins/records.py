"""What parsing returns: plain values that can be compared, stored and shown."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marketplace.plugins.report import Finding


class ComponentKind(StrEnum):
    SKILL = "skill"
    COMMAND = "command"
    AGENT = "agent"
    HOOK = "hook"
    MCP_SERVER = "mcp_server"
    LSP_SERVER = "lsp_server"
    OUTPUT_STYLE = "output_style"
    WORKFLOW = "workflow"
    MONITOR = "monitor"
    THEME = "theme"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """How transcripts name a component: `canonical` in records of today, the others by who calls it.

    `aliases` carry the namespace; `bare_alias` does not, so that it says nothing where two plugins share it.
    """

    canonical: str
    aliases: tuple[str, ...] = ()
    bare_alias: str | None = None

    def all(self) -> tuple[str, ...]:
        bare = () if self.bare_alias is None else (self.bare_alias,)
        return (self.canonical, *self.aliases, *bare)


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that a plugin brings. `path` is the file in the tree that declares it, symlinks as named.

    `identifiers` is None for what no transcript names. `details` is JSON: settings of the front matter,
    the configuration of a server (names of its environment variables only), the handler of a hook.
    """

    kind: ComponentKind
    name: str
    path: str
    identifiers: Identifiers | None = None
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class SourceKind(StrEnum):
    FOLDER = "folder"
    GITHUB = "github"
    URL = "url"
    GIT_SUBDIR = "git-subdir"
    NPM = "npm"
    ARCHIVE = "archive"
    COMMAND = "command"
    INVALID = "invalid"


# So much of a commit stands for the version of a plugin that names none.
VERSION_DIGITS = 12
# Other repositories, whose `sha` is a commit.
IN_GIT = {SourceKind.GITHUB, SourceKind.URL, SourceKind.GIT_SUBDIR}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin is. `path` is a folder: of this tree (FOLDER, '' = the root) or of the other repository.

    `url` is without credentials. `package` and `version` are npm's, `command` is what the client would run.
    """

    kind: SourceKind
    path: str = ""
    url: str = ""
    ref: str = ""
    sha: str = ""
    package: str = ""
    version: str = ""
    command: str = ""

    @property
    def is_remote(self) -> bool:
        return self.kind not in (SourceKind.FOLDER, SourceKind.INVALID)


@dataclass(frozen=True, slots=True)
class Person:
    name: str = ""
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One entry of a marketplace, or one uploaded plugin.

    `name` is what is installed (`name@marketplace`), `namespace` the prefix of every identifier.
    `components` is None where they are unknown: the plugin is hosted elsewhere. `does_not_load` is why
    Claude Code refuses it, None if it does not. `entry` and `manifest` are the JSON they were read from.
    """

    name: str
    namespace: str
    source: Source
    namespace_assumed: bool = False
    display_name: str = ""
    description: str = ""
    version: str = ""
    author: Person = Person()
    homepage: str = ""
    repository: str = ""
    license: str = ""
    keywords: tuple[str, ...] = ()
    category: str = ""
    tags: tuple[str, ...] = ()
    default_enabled: bool | None = None
    components: tuple[Component, ...] | None = None
    does_not_load: str | None = None
    readme_path: str | None = None
    executables: tuple[str, ...] = ()
    has_settings: bool = False
    findings: tuple[Finding, ...] = ()
    entry: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None

    @property
    def counts(self) -> Counter[ComponentKind] | None:
        """How many components of each kind; None if unknown."""
        return None if self.components is None else Counter(part.kind for part in self.components)


@dataclass(frozen=True, slots=True)
class MarketplaceRecord:
    """A marketplace.json and what it lists, in its order.

    `renames` maps each former plugin name to its last successor, None for a plugin that was removed.
    `has_reserved_name`: Claude Code takes this name from github.com/anthropics only.
    """

    name: str
    plugins: tuple[PluginRecord, ...]
    owner: Person = Person()
    description: str = ""
    version: str = ""
    renames: dict[str, str | None] = field(default_factory=dict)
    cross_marketplace_dependencies: tuple[str, ...] = ()
    has_reserved_name: bool = False
    findings: tuple[Finding, ...] = ()
