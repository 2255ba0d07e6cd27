"""What ends an inspection early."""

from collections.abc import Iterable

from marketplace.guardrails.records import Finding


class Refused(Exception):
    """The upload is rejected, and nothing further of it is looked at."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__()
        self.findings = tuple(findings)
