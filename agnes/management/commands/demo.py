from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import audit
from accounts.errors import AgnesError
from agnes import demo
from telemetry.demo.progress import show_progress


class Command(BaseCommand):
    help = (
        "Make an invented organisation with a marketplace and 60 days of sessions, to try Agnes without data "
        "of your own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clean", action="store_true", help="remove the demo, and nothing else")
        parser.add_argument("--dry-run", action="store_true", help="with --clean: only say what would go")
        parser.add_argument(
            "--force", action="store_true", help="make it on a server that is not in DEBUG mode"
        )

    def handle(
        self, *args: Any, clean: bool, dry_run: bool, force: bool, verbosity: int, **options: Any
    ) -> None:
        if dry_run and not clean:
            raise CommandError("--dry-run goes with --clean: making the demo removes nothing.")
        try:
            with audit.context("command"):
                if clean:
                    self._clean(dry_run=dry_run)
                else:
                    self._create(force=force, quiet=verbosity == 0)
        except AgnesError as error:
            raise CommandError(error.text) from error

    def _create(self, *, force: bool, quiet: bool) -> None:
        if not settings.DEBUG and not force:
            raise CommandError(
                "This server is not in DEBUG mode, so it may hold real numbers that a demo would distort. "
                "Use --force if you want it here; --clean removes it again."
            )
        with show_progress(quiet=quiet) as on_progress:
            created = demo.create(now=timezone.now(), on_progress=on_progress)
        self.stdout.write(str(created))

    def _clean(self, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(f"Would remove the demo: {demo.count()}.")
        else:
            removed = demo.remove()
            known = f"Removed the demo: {removed}." if removed else "There is no demo to remove."
            self.stdout.write(known)
