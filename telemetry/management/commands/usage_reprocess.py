"""Have everything extracted anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.errors import AgnesError
from telemetry.maintenance import reprocess
from telemetry.maintenance.reprocess import Mode, Outcome, Plan
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, days_published, steps


class Command(BaseCommand):
    help = (
        "Remove all that was extracted from transcripts, for the task worker to extract it anew. What other "
        "processors found stays, and so do the figures of days that were pruned."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
        parser.add_argument(
            "--session-by-session",
            action="store_true",
            help="remove nothing beforehand: replace one transcript after another, so that no page is empty",
        )

    def handle(
        self, *args: Any, dry_run: bool, session_by_session: bool, verbosity: int, **options: Any
    ) -> None:
        mode = Mode.BY_SESSION if session_by_session else Mode.AT_ONCE
        if dry_run:
            self._tell("Would remove", reprocess.plan(mode))
            return
        try:
            with audit.context("command"), sigterm_interrupts():
                outcome = self._reprocess(mode, quiet=verbosity == 0)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: the task worker goes on, or run it again.", returncode=130
            ) from None
        self._print(outcome)

    def _reprocess(self, mode: Mode, *, quiet: bool) -> Outcome:
        with bars(quiet=quiet) as progress:
            return reprocess.reprocess(
                mode,
                actor=None,
                on_walk=steps(progress, "Transcripts"),
                on_publish=days_published(progress),
            )

    def _print(self, outcome: Outcome) -> None:
        self._tell("Removed", outcome.plan)
        if not outcome.is_walked:
            self.stdout.write("Another worker is at it, and goes on.")
        self.stdout.write(
            f"{outcome.waiting} transcripts wait: the task worker extracts them anew; without one, run "
            "manage.py process_sessions."
        )
        if outcome.publishing_error:
            raise CommandError(f"Not published, which the next run tries again: {outcome.publishing_error}")

    def _tell(self, verb: str, planned: Plan) -> None:
        what = planned.removed
        if planned.mode is Mode.AT_ONCE:
            self.stdout.write(
                f"{verb} {what['events']} events, {what['messages']} messages, {what['summaries']} summaries "
                f"and {what['rollups']} rows of roll-ups, and the same of the lake."
            )
        else:
            self.stdout.write("Nothing is removed beforehand: each transcript's rows are replaced.")
        self.stdout.write(f"{planned.transcripts} transcripts are extracted anew.")
        if planned.kept:
            self.stdout.write(f"{planned.kept} stay as they are: retention removed their files.")
