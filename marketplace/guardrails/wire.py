"""What the two processes tell each other, as JSON that is checked against these types."""

import msgspec

from marketplace.guardrails.records import Finding, Inspection, Kind, Verdict
from marketplace.plugins.records import PluginRecord


class Request(msgspec.Struct):
    """`files` are (name, path of the content)."""

    files: list[tuple[str, str]]
    curated: list[str]
    flea: list[str]
    kind: Kind | None
    name: str


class Usage(msgspec.Struct):
    """Of the child, from its start."""

    cpu_seconds: float
    peak_bytes: int


class Answer(msgspec.Struct):
    """An Inspection whose files are in the pack; of these only the hashes are told."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    kind: Kind | None
    slug: str
    plugin: PluginRecord | None
    hashes: dict[str, str]
    digest: str
    notes: tuple[str, ...]
    usage: Usage


def answer_of(inspection: Inspection, usage: Usage) -> Answer:
    return Answer(
        inspection.verdict,
        inspection.findings,
        inspection.kind,
        inspection.slug,
        inspection.plugin,
        {path: file.sha256 for path, file in inspection.files.items()},
        inspection.digest,
        inspection.notes,
        usage,
    )
