"""Run a processor over everything that is pending."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accounts import audit
from accounts.errors import AgnesError
from telemetry.models import SessionTranscript
from telemetry.processing import run_by_hand
from telemetry.processors.runner import RunReport


class Command(BaseCommand):
    help = "Extract what is pending from the stored transcripts (by hand; the worker does it by itself)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processor", default="usage", help="usage (default) or verification")

    def handle(self, *args: Any, processor: str, **options: Any) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        pending = SessionTranscript.objects.pending(processor).count()
        with audit.context("command"), Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task(f"Processing {processor}", total=pending)

            def show(report: RunReport) -> None:
                progress.update(bar, completed=report.processed + report.failed)

            try:
                report = run_by_hand(processor, actor=None, wait=True, on_progress=show)
            except AgnesError as error:
                raise CommandError(f"{error.message} {error.hint}") from error
        self.stdout.write(
            f"{report.processed} processed, {report.failed} failed, {report.items} items "
            f"in {report.seconds} s, {report.published_days} days published"
        )
        for failure in report.failures:
            self.stderr.write(f"failed: {failure}")
        if report.failed:
            raise CommandError("Some transcripts failed: they are tried again up to three times.")
