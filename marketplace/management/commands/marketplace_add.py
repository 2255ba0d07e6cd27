"""Register a marketplace and sync it for the first time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.errors import AgnesError
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.management.reporting import print_next_step, summary
from marketplace.models import Marketplace
from telemetry.management.interruption import sigterm_interrupts


class Command(BaseCommand):
    help = "Register a git repository with a marketplace.json, and sync it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", metavar="URL", help="https, ssh or file, without credentials")
        parser.add_argument("--slug", default="", help="its short name here; default: the repository's name")
        parser.add_argument("--ref", default="", help="branch, tag or commit; default: the default branch")
        parser.add_argument(
            "--token-env",
            default="",
            metavar="NAME",
            help="for a private repository: the environment variable AGNES_GIT_TOKEN_… that holds a token",
        )

    def handle(
        self, *args: Any, url: str, slug: str, ref: str, token_env: str, verbosity: int, **options: Any
    ) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                marketplace = add_marketplace(read_location(url, ref, token_env), slug=slug)
                self.stdout.write(f"Added {marketplace.slug}.")
                self._sync(marketplace)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None

    def _sync(self, marketplace: Marketplace) -> None:
        try:
            self.stdout.write(summary(sync_marketplace(marketplace)))
        except AgnesError as error:
            raise CommandError(
                f"{error.text} It stays registered as {marketplace.slug}: then "
                f"run `manage.py marketplace_sync {marketplace.slug}`."
            ) from error
        print_next_step(self.stdout)
