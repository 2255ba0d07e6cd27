"""Process what is pending, and publish what that changed: the one function behind every door."""

from collections.abc import Callable
from time import monotonic

from accounts import audit
from accounts.models import User
from telemetry.models import SessionTranscript, UsageDirtyDay
from telemetry.processors import usage
from telemetry.processors.registry import processor_named
from telemetry.processors.report import RunReport
from telemetry.processors.runner import run
from telemetry.publishing import publish

Progress = Callable[[RunReport], None]
# Of the time there is, publishing gets what processing leaves of it, and at least this part.
KEPT_FOR_PUBLISHING = 1 / 3


def process(
    processor_name: str,
    *,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: Progress = lambda report: None,
) -> RunReport:
    """Run a processor, and end a run of `usage` with a publish. Raises UnknownProcessor."""
    started = monotonic()
    for_processing = None if seconds is None else seconds * (1 - KEPT_FOR_PUBLISHING)
    report = run(processor_name, seconds=for_processing, wait=wait, on_progress=on_progress)
    if processor_name == usage.NAME:
        left = None if seconds is None else started + seconds - monotonic()
        published = publish(seconds=left, wait=wait)
        report.published_days = published.published_days
        report.out_of_time |= published.out_of_time
    report.seconds = round(monotonic() - started, 3)
    return report


def something_waits(processor_name: str) -> bool:
    """Whether a transcript is pending, or a day waits to be published."""
    if SessionTranscript.objects.pending(processor_name).exists():
        return True
    return processor_name == usage.NAME and UsageDirtyDay.objects.exists()


def run_by_hand(
    processor_name: str,
    *,
    actor: User | None,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: Progress = lambda report: None,
) -> RunReport:
    """Process what is pending and write the audit row. Raises UnknownProcessor."""
    processor_named(processor_name)
    latest = RunReport()

    def note(report: RunReport) -> None:
        nonlocal latest
        latest = report
        on_progress(report)

    try:
        latest = process(processor_name, seconds=seconds, wait=wait, on_progress=note)
    finally:
        # Also where it was interrupted: what was done by then was done by somebody.
        audit.record(
            "usage.process",
            target=processor_name,
            actor=actor,
            params={"processed": latest.processed, "failed": latest.failed, "items": latest.items},
        )
    return latest
