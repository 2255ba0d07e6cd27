"""Write the whole installation to one file, while it runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.errors import AgnesError
from agnes.backup.making import make_backup
from agnes.backup.telling import described
from telemetry.errors import NoListOfErasures
from telemetry.maintenance import listing
from telemetry.management.interruption import sigterm_interrupts
from telemetry.management.progress import bars, named_steps


class Command(BaseCommand):
    help = "Write database, transcripts and uploads to one file, while people go on working."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file to write, such as agnes-2026-05-01.tar")

    def handle(self, *args: Any, file: Path, verbosity: int, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts(), bars(quiet=verbosity == 0) as progress:
                manifest = make_backup(file, on_progress=named_steps(progress))
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing is left of the backup.", returncode=130) from None
        self.stdout.write(f"{file}: {described(manifest)}")
        for key in manifest.lost:
            self.stderr.write(f"  {key} is lost: the database names it, and the storage does not have it.")
        self._write_list(file)

    def _write_list(self, file: Path) -> None:
        """It is kept beside the backups."""
        try:
            listing.write()
        except (OSError, NoListOfErasures) as error:
            raise CommandError(
                f"{file} is made, but the list of who was erased and what is withheld could not be brought "
                f"up to date: {error}. See that {listing.path()} can be read and its folder be written to: "
                "the next backup then does so."
            ) from error
