"""Run a processor over everything that is pending."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import pluralize

from accounts import audit
from accounts.errors import AgnesError
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, days_published
from telemetry.models import SessionTranscript
from telemetry.processors.processing import OnReport, run_by_hand
from telemetry.processors.registry import processor_named
from telemetry.processors.report import RunReport
from telemetry.publishing import OnPublish

SHOWN_FAILURES = 20


class Command(BaseCommand):
    help = "Process what is pending of the stored transcripts by hand; the task worker does it by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processor", default="usage", help="usage (default) or verification")

    def handle(self, *args: Any, processor: str, verbosity: int, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                report = self._run(processor_named(processor).name, quiet=verbosity == 0)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: run it again to go on.", returncode=130) from None
        self._print(report)

    def _run(self, processor: str, *, quiet: bool) -> RunReport:
        """Waits for people whom other workers hold, so that nothing is pending at the end."""
        with _progress(processor, quiet=quiet) as (on_progress, on_publish):
            return run_by_hand(
                processor, actor=None, wait=True, on_progress=on_progress, on_publish=on_publish
            )

    def _print(self, report: RunReport) -> None:
        self.stdout.write(
            f"{report.processed} processed, {report.failed} failed, {report.items} items, "
            f"{report.published_days} days published, {report.seconds:.1f} s"
        )
        if report.given_up:
            waiting = f"transcript{pluralize(report.given_up, ' waits,s wait')}"
            self.stdout.write(
                f"{report.given_up} {waiting} for an operator (see the admin, Processor states)."
            )
        for failure in report.failures[:SHOWN_FAILURES]:
            self.stderr.write(f"  {failure}")
        if report.failed:
            raise CommandError(
                f"{report.failed} transcript{pluralize(report.failed)} failed. Each is tried three times in "
                "all; the admin shows every error under Transcripts."
            )
        if report.publishing_error:
            raise CommandError(f"Not published, which the next run tries again: {report.publishing_error}")


@contextmanager
def _progress(processor: str, *, quiet: bool) -> Iterator[tuple[OnReport, OnPublish]]:
    """Bars on a terminal, nothing elsewhere."""
    with bars(quiet=quiet) as progress:
        pending = None if progress.disable else SessionTranscript.objects.pending(processor).count()
        bar = progress.add_task(f"Processing {processor}", total=pending)
        yield (
            lambda report: progress.update(bar, completed=report.processed + report.failed),
            days_published(progress),
        )
