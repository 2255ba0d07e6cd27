"""What is wrong with a marketplace or a plugin, in the order in which it was found."""

from enum import StrEnum
from typing import NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.text import shortened, storable


class Level(StrEnum):
    ERROR = "error"  # something declared does not load
    WARNING = "warning"  # it loads, but not as its author meant
    NOTE = "note"  # ignored, or good to know


class Finding(NamedTuple):
    """`path` is the file in the tree that it is about, '' for none."""

    level: Level
    message: str
    path: str = ""


class Report:
    """Collects findings, up to a limit; the last one then says how many were left out."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._left_out = 0

    def error(self, message: str, path: str = "") -> None:
        self.add(Finding(Level.ERROR, message, path))

    def warning(self, message: str, path: str = "") -> None:
        self.add(Finding(Level.WARNING, message, path))

    def note(self, message: str, path: str = "") -> None:
        self.add(Finding(Level.NOTE, message, path))

    def add(self, finding: Finding) -> None:
        if len(self._findings) >= limits.FINDINGS:
            self._left_out += 1
            return
        path = storable(finding.path[: limits.PATH_LENGTH])
        self._findings.append(Finding(finding.level, shortened(storable(finding.message)), path))

    @property
    def findings(self) -> tuple[Finding, ...]:
        if not self._left_out:
            return tuple(self._findings)
        return (*self._findings, Finding(Level.NOTE, f"{self._left_out} more findings are left out."))
