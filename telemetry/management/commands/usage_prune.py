"""Remove what is older than the retention."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.errors import AgnesError
from telemetry.maintenance import pruning
from telemetry.maintenance.pruning import Outcome
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, steps


class Command(BaseCommand):
    help = (
        "Remove events and messages older than USAGE_EVENTS_RETENTION_DAYS, and files of transcripts "
        "older than TRANSCRIPTS_RETENTION_DAYS; figures by day stay. The task worker does it daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, dry_run: bool, verbosity: int, **options: Any) -> None:
        if not pruning.retention().is_any:
            self.stdout.write(pruning.NOTHING)
            return
        if dry_run:
            self._tell("Would remove", pruning.plan())
            return
        try:
            with audit.context("command"), sigterm_interrupts(), bars(quiet=verbosity == 0) as progress:
                outcome = pruning.prune(actor=None, on_prune=steps(progress, "Pruning"))
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: the task worker goes on, or run it again.", returncode=130
            ) from None
        self._tell("Removed", outcome)
        if not outcome.is_complete:
            raise CommandError(f"Not all is done, and the next run goes on: {outcome.why_not}")

    def _tell(self, verb: str, outcome: Outcome) -> None:
        wanted, removed = outcome.retention, outcome.removed
        if wanted.events_before:
            self.stdout.write(
                f"{verb} {removed['events']} events and {removed['messages']} messages from before "
                f"{wanted.events_before}."
            )
        else:
            self.stdout.write("Events and messages are kept: USAGE_EVENTS_RETENTION_DAYS is 0.")
        if wanted.transcripts_before:
            self.stdout.write(
                f"{verb} the files of {removed['transcripts']} transcripts from before "
                f"{wanted.transcripts_before}."
            )
        else:
            self.stdout.write("Transcripts are kept: TRANSCRIPTS_RETENTION_DAYS is 0.")
        if outcome.waiting:
            self.stdout.write(f"{outcome.waiting} more keep their files until they are processed.")
