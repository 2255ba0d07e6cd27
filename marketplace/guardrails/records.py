"""What goes into an inspection and what comes out of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from marketplace.plugins.records import PluginRecord


class Kind(StrEnum):
    SKILL = "skill"
    AGENT = "agent"
    COMMAND = "command"
    PLUGIN = "plugin"


class Severity(StrEnum):
    REJECT = "reject"  # nothing is kept
    HOLD = "hold"  # kept, seen by its uploader and admins until an admin lets it through
    SHOW = "show"  # published, with what it can do written out


class Verdict(StrEnum):
    REJECT = "reject"
    HOLD = "hold"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """`path` is what the uploader calls it; `content` a file that holds its bytes."""

    path: str
    content: Path


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names and namespaces that belong to others. Those of an item whose new version this is are not here."""

    curated: frozenset[str] = frozenset()
    flea: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` is a file of the normalised tree, or of the upload where it came to none; '' is the whole.

    `line` counts from 1. `text` cites at most 120 characters, secrets masked, control characters escaped;
    `cure` tells the uploader what to change.
    """

    code: str
    severity: Severity
    path: str
    line: int | None
    text: str
    cure: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the normalised tree. `sha256` is hexadecimal; the content is read when it is asked for."""

    size: int
    executable: bool
    sha256: str
    read: Callable[[], bytes] = field(repr=False, compare=False)

    @property
    def content(self) -> bytes:
        return self.read()


@dataclass(frozen=True, slots=True)
class Inspection:
    """The verdict on an upload. `files` is the normalised tree by path, empty if it is rejected.

    `slug` is its name as far as one was found, `digest` the sha256 of all paths, modes and contents ('' if
    rejected). `notes` say what was changed on the way, for the uploader to know.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    kind: Kind | None = None
    slug: str = ""
    plugin: PluginRecord | None = None
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    digest: str = ""
    notes: tuple[str, ...] = ()
