"""Make the lake anew from the database."""

from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.errors import AgnesError
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, days_in_lines, days_published
from telemetry.publishing import PublishReport


class Command(BaseCommand):
    help = "Make the lake anew from the database, day by day; readers go on meanwhile."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        started = monotonic()
        try:
            with audit.context("command"), sigterm_interrupts():
                report = self._rebuild(quiet=verbosity == 0)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: run it again to go on.", returncode=130) from None
        self.stdout.write(f"{report.published_days} days published, {monotonic() - started:.1f} s")

    def _rebuild(self, *, quiet: bool) -> PublishReport:
        # Only here: it takes 60 MB, which `--help` and the list of commands need not pay.
        from telemetry.maintenance.lake_rebuilding import rebuild_lake

        with bars(quiet=quiet) as progress:
            lines = progress.disable and not quiet
            on_progress = days_in_lines(self.stdout) if lines else days_published(progress)
            return rebuild_lake(on_progress=on_progress)
