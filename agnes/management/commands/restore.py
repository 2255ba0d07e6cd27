"""Bring a backup into this installation."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import Erasure
from agnes.backup.restoring import OnRestored, Restored, forget_tasks, restore
from agnes.backup.secrets import MEANINGS
from agnes.backup.telling import described
from agnes.erasing import erasing
from telemetry.charts import counted
from telemetry.errors import LakeUnavailable
from telemetry.maintenance import withholding
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, days_published, named_steps
from telemetry.publishing import publish


class Command(BaseCommand):
    help = "Bring a backup into this installation, which must be stopped and empty; then publish it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that `backup` made")
        parser.add_argument(
            "--replace", action="store_true", help="first remove everything that this installation holds"
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="erase and withhold what this copy of erasures.ndjson names, beside what the one here does",
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        replace: bool,
        erasures: list[Path],
        verbosity: int,
        **options: Any,
    ) -> None:
        quiet = verbosity == 0
        try:
            with audit.context("command"), sigterm_interrupts():
                with bars(quiet=quiet) as progress:
                    restored = restore(
                        file,
                        replace=replace,
                        erasures=erasures,
                        on_progress=named_steps(progress),
                        on_restored=self._telling(progress),
                    )
                with bars(quiet=quiet) as progress:
                    publish(wait=True, on_progress=days_published(progress))
                self._finish(restored)
                forget_tasks()
        except LakeUnavailable as error:
            raise CommandError(f"Restored, but not published: {error.text}") from error
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: unless it says above that it is restored, nothing has changed. If it says so, "
                "run `doctor --fix` before you start Agnes: that and the task worker do what is left.",
                returncode=130,
            ) from None

    def _finish(self, restored: Restored) -> None:
        """What is left of what was removed for good after the backup was made."""
        if restored.withheld:
            self._finish_withheld(restored.withheld)
        if restored.erasures:
            self._finish_erasures(restored.erasures)

    def _finish_withheld(self, count: int) -> None:
        is_clean = withholding.go_on()
        self.stdout.write(f"Withheld again: {counted(count, 'session')}.")
        if not is_clean:
            self.stderr.write("Something of what is withheld is left: the task worker goes on removing it.")

    def _finish_erasures(self, erasures: list[Erasure]) -> None:
        left = sorted({name for it in erasures for name in erasing.clean_up(it).left})
        self.stdout.write(f"Erased again: {counted(len(erasures), 'person', 'people')}.")
        if left:
            raise CommandError(f"Restored, but {', '.join(left)} could not be cleaned: run `doctor --fix`.")

    def _telling(self, progress: Progress) -> OnRestored:
        def tell(restored: Restored) -> None:
            # It would write over what is told.
            progress.stop()
            self._tell(restored)

        return tell

    def _tell(self, restored: Restored) -> None:
        self.stdout.write(f"Restored: {described(restored.manifest)}")
        for key in restored.manifest.lost:
            self.stderr.write(f"  {key} was lost before the backup was made.")
        for name in restored.by_hand:
            self.stderr.write(
                f"{name} is not that of the installation that was backed up, so {MEANINGS[name]}: set it to "
                "what it was there."
            )
        self.stdout.flush()
