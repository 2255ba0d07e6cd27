"""Erase a person, and everything that there is of them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.erasing.kinds import Counts
from accounts.errors import AgnesError
from accounts.models import Erasure, User
from agnes.erasing import erasing
from agnes.erasing.erasing import Outcome
from telemetry.management.interruption import sigterm_interrupts


class Command(BaseCommand):
    help = (
        "Tell what there is of a person, and with --erase remove all of it for good: sessions, figures, the "
        "lake's rows, questions, tokens, traces in the admin and in the task queue. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the person")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="only say what would go: the default")
        how.add_argument("--erase", action="store_true", help="remove it for good")

    def handle(self, *args: Any, email: str, erase: bool, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                found = erasing.find(email)
                if erase:
                    self._erase(found, email)
                else:
                    self._count(found, email)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: the person is locked out once it was begun. Run it again to go on.",
                returncode=130,
            ) from None

    def _count(self, found: User | Erasure, email: str) -> None:
        if isinstance(found, Erasure):
            self.stdout.write("This person's rows are gone already: files and the lake are left.")
        else:
            self.stdout.write(f"Would remove of {email} (person {found.pk}):")
            self._list(erasing.count(found))
        self.stdout.write(
            f"Nothing has changed. For good, and not to be undone: manage.py erase_person {email} --erase"
        )

    def _erase(self, found: User | Erasure, email: str) -> None:
        outcome = erasing.go_on(found) if isinstance(found, Erasure) else erasing.erase(found)
        self.stdout.write(f"Removed of person {outcome.person}, who is a pseudonym now:")
        self._list(outcome.removed)
        self._warn(email)
        self._require_complete(outcome)

    def _list(self, counts: Counts) -> None:
        for name, count in sorted(counts.items()):
            self.stdout.write(f"  {count:>9,}  {name}")
        if not counts:
            self.stdout.write("  nothing but the account itself")

    def _warn(self, email: str) -> None:
        if settings.SEED_ADMIN_EMAIL.strip().lower() == email.strip().lower():
            self.stderr.write("SEED_ADMIN_EMAIL still names this person: change it in the settings.")

    def _require_complete(self, outcome: Outcome) -> None:
        if outcome.left:
            raise CommandError(
                f"Not all is done: {', '.join(outcome.left)} could not be cleaned, being in use or out of "
                "reach. Run it again in a while."
            )
        self.stdout.write("Nothing is left here. Backups that were made before hold it: see docs/PRIVACY.md.")
