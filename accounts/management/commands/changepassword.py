import getpass
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.models import User

ATTEMPTS = 3


class Command(BaseCommand):
    """In place of Django's, which leaves no audit row.

    The transaction begins after the questions: with SQLite nobody else could write while somebody types.
    """

    help = "Change a person's password, which is asked for: changepassword you@example.com"
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person whose password it is")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email).first()
        if user is None:
            raise CommandError(f"No person has the e-mail address {email}: check the spelling.")
        user.set_password(self._ask(user))
        with audit.context("command"), transaction.atomic():
            user.save(update_fields=["password"])
            audit.record("auth.password_change", target=f"user:{user.pk}")
        self.stdout.write(f"The password of {user.email} was changed; their browsers must sign in anew.")

    def _ask(self, user: User) -> str:
        for _ in range(ATTEMPTS):
            password = self._read(f"New password of {user.email}: ")
            again = self._read("The same again: ")
            try:
                _require_sound(user, password, again)
            except ValidationError as error:
                self.stderr.write("\n".join(error.messages))
            else:
                return password
        raise CommandError("No sound password was typed, so nothing was changed: call the command again.")

    def _read(self, prompt: str) -> str:
        try:
            typed = getpass.getpass(prompt)
        except (EOFError, KeyboardInterrupt):
            typed = ""
        if not typed:
            raise CommandError("Nothing was typed, so nothing was changed.")
        return typed


def _require_sound(user: User, password: str, again: str) -> None:
    if password != again:
        raise ValidationError("The two are not the same.")
    validate_password(password, user)
