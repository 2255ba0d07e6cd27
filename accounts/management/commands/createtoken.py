from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import audit, tokens
from accounts.errors import told
from accounts.models import Scope, User


class Command(BaseCommand):
    help = "Issue an access token and print it, once: createtoken you@example.com --scope upload --scope read"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person the token acts as")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            required=True,
            help="what the token may be used for; repeat it for several, none contains another",
        )
        parser.add_argument("--name", default="command line", help="where the token is used")
        parser.add_argument("--days", type=int, help="valid for so many days (default: until revoked)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"]).first()
        if user is None or not user.is_active:
            raise CommandError(
                f"No active person has the e-mail address {options['email']}: "
                "add them in the admin under People, or check the spelling."
            )
        end = _end(options["days"])
        try:
            with audit.context("command"):
                _, plain = tokens.issue(user, name=options["name"], scopes=options["scope"], expires_at=end)
        except ValidationError as error:
            raise CommandError(f"The token was not made: {told(error)}") from None
        self.stdout.write(plain)
        self.stderr.write("The token is shown only now.")


def _end(days: int | None) -> Any:
    if days is None:
        return None
    if not 1 <= days <= 3650:
        raise CommandError(f"--days {days} is out of range: use 1 to 3650.")
    return timezone.now() + timedelta(days=days)
