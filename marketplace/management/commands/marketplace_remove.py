"""Remove a marketplace; what was used of its plugins stays."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.errors import AgnesError
from marketplace.catalogue.registering import find_marketplace
from marketplace.catalogue.removing import remove_marketplace
from marketplace.management.reporting import print_next_step


class Command(BaseCommand):
    help = (
        "Remove a marketplace: its plugins leave the catalogue and it is fetched no more. What was used of "
        "them stays theirs, and nothing else ever has its short name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")

    def handle(self, *args: Any, slug: str, dry_run: bool, **options: Any) -> None:
        try:
            marketplace = find_marketplace(slug)
            if dry_run:
                plugins = marketplace.plugins.filter(valid_to=None).count()
                self.stdout.write(f"{plugins} plugins of {slug} would leave the catalogue.")
                return
            with audit.context("command"):
                plugins = remove_marketplace(marketplace)
        except AgnesError as error:
            raise CommandError(error.text) from error
        self.stdout.write(f"Removed {slug}: {plugins} plugins left the catalogue.")
        print_next_step(self.stdout)
