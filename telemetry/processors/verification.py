"""The processor `verification`: how each transcript differs from the format that is known."""

from dataclasses import dataclass

from telemetry.models import VerificationFinding
from telemetry.processors.base import Job, Processor
from telemetry.transcripts.verifying import Finding, verify

VERIFICATION_PROCESSOR_VERSION = 1


def extract(job: Job) -> "VerificationResult":
    received_ms = int(job.transcript.updated_at.timestamp() * 1000)
    return VerificationResult(job.transcript.session_file, verify(job.open_parts(), received_ms=received_ms))


VERIFICATION = Processor("verification", VERIFICATION_PROCESSOR_VERSION, extract)


@dataclass(frozen=True)
class VerificationResult:
    session_file: str
    findings: list[Finding]

    @property
    def items(self) -> int:
        return len(self.findings)

    def write(self) -> None:
        VerificationFinding.objects.filter(session_file=self.session_file).delete()
        VerificationFinding.objects.bulk_create(
            VerificationFinding(
                session_file=self.session_file,
                kind=finding.kind,
                detail=finding.detail,
                count=finding.occurrences,
            )
            for finding in self.findings
        )
