"""Check a backup, or this installation."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import AgnesError
from agnes import verifying
from agnes.backup.checking import check
from agnes.backup.telling import described
from telemetry.charts import counted
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import OnStep, bars, named_steps


class Command(BaseCommand):
    help = "Check that a backup is as it was written; without a file, that this installation is whole."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a file that `backup` made")

    def handle(self, *args: Any, file: Path | None, verbosity: int, **options: Any) -> None:
        try:
            with sigterm_interrupts(), bars(quiet=verbosity == 0) as progress:
                on_step = named_steps(progress)
                told = self._check(file, on_step) if file else self._verify(on_step)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was changed.", returncode=130) from None
        self.stdout.write(told)

    def _check(self, file: Path, on_step: OnStep) -> str:
        return f"{file} is whole: {described(check(file, on_progress=on_step))}"

    def _verify(self, on_step: OnStep) -> str:
        found = sum(self._find(each, on_step) for each in verifying.ALWAYS)
        if verifying.something_waits():
            self.stdout.write("Figures, Lake: not compared, since something waits to be published")
        else:
            found += sum(self._find(each, on_step) for each in verifying.WHEN_PUBLISHED)
        if found:
            raise CommandError(f"{counted(found, 'finding')}.")
        return "This installation is whole."

    def _find(self, each: verifying.Check, on_step: OnStep) -> int:
        findings = list(each.find(on_step))
        if verifying.something_waits() and each in verifying.WHEN_PUBLISHED:
            # It changed while it was compared.
            findings = []
        self.stdout.write(f"{each.title}: {counted(len(findings), 'finding') if findings else 'well'}")
        for finding in findings:
            self.stdout.write(f"  {finding.message}\n    Cure: {finding.hint}")
        return len(findings)
