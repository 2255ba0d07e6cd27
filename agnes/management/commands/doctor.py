"""Examine the installation, and remove what crashes left behind."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.diagnosis import Finding
from accounts.errors import AgnesError
from agnes import doctor
from agnes.doctor import Examination
from telemetry.charts import counted
from telemetry.management.interruption import sigterm_interrupts


class Command(BaseCommand):
    help = (
        "Say what is wrong with this installation and how to cure it; with --fix, remove what crashes left "
        "behind. Ends with status 1 where something is left to do."
    )
    # It says itself what they say.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="cure what can be cured without a person")
        parser.add_argument(
            "--min-age",
            type=int,
            default=24,
            metavar="HOURS",
            help="what was written to later is no stray yet (default: 24); less only while nothing runs",
        )

    def handle(self, *args: Any, fix: bool, min_age: int, verbosity: int, **options: Any) -> None:
        if min_age < 0:
            raise CommandError(f"--min-age {min_age} is out of range: use 0 or more hours.")
        self.quiet = verbosity == 0
        try:
            with audit.context("command"), sigterm_interrupts():
                left = self._examine_all(timedelta(hours=min_age), fix=fix)
        except KeyboardInterrupt:
            raise CommandError("Interrupted: run it again to begin anew.", returncode=130) from None
        if left:
            raise CommandError(f"{counted(left, 'finding')} left to cure.")
        self._say("Nothing is left to cure.")

    def _examine_all(self, min_age: timedelta, *, fix: bool) -> int:
        """How many findings are left."""
        has_tables = doctor.has_tables()
        left = 0
        for examination in doctor.EXAMINATIONS:
            if examination.needs_tables and not has_tables:
                self._say(f"{examination.title}: not examined")
                continue
            left += self._examine(examination, min_age, fix=fix)
        return left

    def _examine(self, examination: Examination, min_age: timedelta, *, fix: bool) -> int:
        findings = doctor.findings_of(examination, min_age)
        self._say(f"{examination.title}: {counted(len(findings), 'finding') if findings else 'well'}")
        return sum(not self._treat(finding, fix=fix) for finding in findings)

    def _treat(self, finding: Finding, *, fix: bool) -> bool:
        """Whether it is cured."""
        self.stdout.write(f"  {finding.message}")
        if not (fix and finding.fix):
            if finding.hint:
                self.stdout.write(f"    Cure: {finding.hint}")
            return False
        try:
            told = finding.fix()
        except AgnesError as error:
            self.stdout.write(f"    Not cured: {error.text}")
            return False
        except OSError as error:
            self.stdout.write(f"    Not cured: {error}")
            return False
        audit.record("doctor.fix", params={"did": told})
        self.stdout.write(f"    {told}")
        return True

    def _say(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
