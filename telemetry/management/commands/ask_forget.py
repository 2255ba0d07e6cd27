"""Delete the questions of the command `ask`, which stand in nobody's history on a page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import audit
from telemetry.ask.asking import forget
from telemetry.models import AskQuestion


class Command(BaseCommand):
    help = "Delete the questions that were asked by the command `ask`, with their SQL and what was sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell how many there are")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        kept = AskQuestion.objects.filter(user=None)
        if dry_run:
            self.stdout.write(f"To be deleted: {kept.count()}.")
            return
        with audit.context("command"):
            self.stdout.write(f"Deleted: {forget(kept, actor=None)}.")
