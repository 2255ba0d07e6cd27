"""Process what is pending, and publish what that changed: the one function behind every door."""

import logging
from collections.abc import Callable
from time import monotonic

from accounts import audit
from accounts.models import User
from telemetry.errors import LakeUnavailable
from telemetry.models import SessionTranscript, UsageDirtyDay
from telemetry.processors import usage
from telemetry.processors.registry import processor_named
from telemetry.processors.report import RunReport
from telemetry.processors.runner import run
from telemetry.publishing import OnPublish, publish

log = logging.getLogger(__name__)
OnReport = Callable[[RunReport], None]
# Of the time there is, publishing gets what processing leaves of it, and at least this part.
KEPT_FOR_PUBLISHING = 1 / 3


def process(
    processor_name: str,
    *,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: OnReport = lambda report: None,
    on_publish: OnPublish = lambda done, of: None,
) -> RunReport:
    """Run a processor, and end a run of `usage` with a publish. Raises UnknownProcessor.

    If publishing fails, what was processed stands, and the report says why.
    """
    started = monotonic()
    for_processing = None if seconds is None else seconds * (1 - KEPT_FOR_PUBLISHING)
    report = run(processor_name, seconds=for_processing, wait=wait, on_progress=on_progress)
    if processor_name == usage.NAME:
        left = None if seconds is None else started + seconds - monotonic()
        _publish(report, left, wait, on_publish)
    report.seconds = round(monotonic() - started, 3)
    return report


def something_waits(processor_name: str) -> bool:
    """Whether a transcript is pending, or a day waits to be published."""
    if SessionTranscript.objects.pending(processor_name).exists():
        return True
    return processor_name == usage.NAME and UsageDirtyDay.objects.exists()


def _publish(report: RunReport, seconds: float | None, wait: bool, on_progress: OnPublish) -> None:
    try:
        published = publish(seconds=seconds, wait=wait, on_progress=on_progress)
    except LakeUnavailable as error:
        log.error("Publishing failed: %s", error.text)
        report.publishing_error = error.message
        return
    report.published_days = published.published_days
    report.out_of_time |= published.out_of_time
    report.held_elsewhere |= published.left_to_other


def run_by_hand(
    processor_name: str,
    *,
    actor: User | None,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: OnReport = lambda report: None,
    on_publish: OnPublish = lambda done, of: None,
) -> RunReport:
    """Process what is pending and write the audit row. Raises UnknownProcessor."""
    processor_named(processor_name)
    latest = RunReport()

    def note(report: RunReport) -> None:
        nonlocal latest
        latest = report
        on_progress(report)

    try:
        latest = process(processor_name, seconds=seconds, wait=wait, on_progress=note, on_publish=on_publish)
        latest.given_up = SessionTranscript.objects.given_up(processor_name).count()
    finally:
        # Also where it was interrupted: what was done by then was done by somebody.
        audit.record(
            "usage.process",
            target=processor_name,
            actor=actor,
            params={"processed": latest.processed, "failed": latest.failed, "items": latest.items},
        )
    return latest
