"""Run a processor by hand: the one function behind command and API, audited."""

from collections.abc import Callable

from accounts import audit
from accounts.models import User
from telemetry.processors.registry import processor_named
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
    processor_named(processor_name)
    latest = RunReport()

    def note(report: RunReport) -> None:
        nonlocal latest
        latest = report
        on_progress(report)

    try:
        latest = run(processor_name, seconds=seconds, wait=wait, on_progress=note)
    finally:
        # Also where it was interrupted: what was done by then was done by somebody.
        audit.record(
            "usage.process",
            target=processor_name,
            actor=actor,
            params={"processed": latest.processed, "failed": latest.failed, "items": latest.items},
        )
    return latest
