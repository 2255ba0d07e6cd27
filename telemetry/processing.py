"""Run a processor by hand: the one function behind command and API, audited."""

from collections.abc import Callable

from accounts import audit
from accounts.models import User
from telemetry.processors.report import RunReport
from telemetry.processors.runner import run


def run_by_hand(
    processor_name: str,
    *,
    actor: User | None,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: Callable[[RunReport], None] = lambda report: None,
) -> RunReport:
    """Process what is pending and write the audit row. Raises UnknownProcessor."""
    report = run(processor_name, seconds=seconds, wait=wait, on_progress=on_progress)
    audit.record(
        "usage.process",
        target=processor_name,
        actor=actor,
        params={"processed": report.processed, "failed": report.failed, "items": report.items},
    )
    return report
