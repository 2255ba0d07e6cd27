from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.errors import AgnesError
from accounts.seeding import ensure_first_admin


class Command(BaseCommand):
    help = "Make the first admin from SEED_ADMIN_EMAIL and SEED_ADMIN_PASSWORD, if there is no superuser yet."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with audit.context("command"):
                admin, password = ensure_first_admin()
        except AgnesError as error:
            raise CommandError(error.text) from None
        self.stdout.write(f"Admin: {admin.email}")
        if password:
            self.stdout.write(f"Password (shown only now): {password}")
