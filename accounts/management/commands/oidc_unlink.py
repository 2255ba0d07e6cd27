from argparse import ArgumentParser
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit


class Command(BaseCommand):
    help = (
        "Forget under which id the sign-in provider knows a person, so that at their next visit their e-mail "
        "address counts again: oidc_unlink you@example.com"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("email", nargs="?", help="the person")
        whom.add_argument("--all", action="store_true", help="everybody, where the provider gave new ids")

    def handle(self, *args: Any, email: str | None, all: bool, **options: Any) -> None:
        links = SocialAccount.objects.all() if all else SocialAccount.objects.filter(user__email=email)
        with audit.context("command"), transaction.atomic():
            user_ids = sorted(set(links.values_list("user_id", flat=True)))
            if email and not user_ids:
                raise CommandError(f"The provider knows nobody with the e-mail address {email}.")
            for user_id in user_ids:
                audit.record("user.unlink", target=f"user:{user_id}")
            links.delete()
        self.stdout.write(f"Unlinked: {len(user_ids)}.")
