"""What the guardrails found, for people: the gravest first, each with file, line and cure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.guardrails.records import Severity
from telemetry.admin.formats import words

HEADINGS = {
    Severity.REJECT: ("Why it was rejected", "bad"),
    Severity.HOLD: ("What an admin has to look at", "look"),
    Severity.SHOW: ("What its page says of it", ""),
}


@dataclass(frozen=True)
class Finding:
    what: str
    place: str
    text: str
    cure: str


@dataclass(frozen=True)
class Group:
    """Findings of one severity; `chip` is the kind of its mark."""

    severity: str
    heading: str
    chip: str
    findings: list[Finding]


def grouped(findings: Iterable[Mapping[str, Any]]) -> list[Group]:
    found = list(findings)
    groups = [
        Group(severity, heading, chip, [_read(it) for it in found if it["severity"] == severity])
        for severity, (heading, chip) in HEADINGS.items()
    ]
    return [group for group in groups if group.findings]


def place_of(finding: Mapping[str, Any]) -> str:
    """`skills/tidy/SKILL.md:5`; '' for the whole upload."""
    return f"{finding['path']}:{finding['line']}" if finding["line"] else finding["path"]


def _read(finding: Mapping[str, Any]) -> Finding:
    return Finding(words(finding["code"]), place_of(finding), finding["text"], finding["cure"])
