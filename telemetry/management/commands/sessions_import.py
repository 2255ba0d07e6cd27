import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from accounts import audit
from accounts.errors import told
from accounts.models import User
from telemetry.intake.comparing import Status
from telemetry.intake.importing import ImportReport, SourceFile, find_transcripts, import_files
from telemetry.management.interruption import sigterm_interrupts


class Command(BaseCommand):
    help = "Import the transcripts (*.jsonl) of a folder such as ~/.claude/projects, or a single one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose sessions they are")
        parser.add_argument("--create-user", action="store_true", help="add the person if there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                self._import(options["path"].expanduser(), options["user"], options["create_user"])
        except KeyboardInterrupt:
            raise CommandError("Interrupted: run it again to go on.", returncode=130) from None

    def _import(self, path: Path, email: str, create_user: bool) -> None:
        files = _files_of(path)
        owner = _person(email, create=create_user)
        with _progress(files) as on_read:
            report = import_files(files, owner, on_read=on_read)
        self._print(report, len(files))
        if report.interrupted:
            raise KeyboardInterrupt
        if report.refused and not report.statuses:
            raise CommandError("Nothing was imported: every file was refused, for the reasons above.")

    def _print(self, report: ImportReport, found: int) -> None:
        done = report.statuses.total() + len(report.refused)
        self.stdout.write(f"Files read: {done} of {found}")
        for status in Status:
            self.stdout.write(f"  {status.value:<12}{report.statuses[status]:>8}")
        self.stdout.write(f"  {'refused':<12}{len(report.refused):>8}")
        for name, reason in report.refused:
            self.stdout.write(f"    {_printable(name)}: {_printable(reason)}")
        if any(report.statuses[status] for status in Status if status.is_stored):
            self.stdout.write(
                "The task worker processes them; without one, run `manage.py process_sessions`."
            )


def _files_of(path: Path) -> list[SourceFile]:
    if not (path.is_dir() or path.is_file()):
        raise CommandError(
            f"{path} is neither a folder nor a file: give the folder of Claude Code's projects, "
            "usually ~/.claude/projects."
        )
    files = find_transcripts(path)
    if not files:
        raise CommandError(
            f"There is no *.jsonl below {path}: give the folder of Claude Code's projects, "
            "usually ~/.claude/projects."
        )
    return files


def _person(email: str, *, create: bool) -> User:
    person: User | None = User.objects.filter(email=email).first()
    if person is None:
        if not create:
            raise CommandError(f"There is no person {email}: check the spelling, or add --create-user.")
        return _add_person(email)
    if not person.is_active:
        raise CommandError(f"{email} is not active: activate the person in the admin under People first.")
    return person


def _add_person(email: str) -> User:
    try:
        User(email=email).full_clean(exclude=["password"])
    except ValidationError as error:
        raise CommandError(f"{email!r} is no e-mail address for a person: {told(error)}") from None
    with transaction.atomic():
        person: User = User.objects.create_user(email)
        audit.record("user.create", target=f"user:{person.pk}")
    return person


@contextmanager
def _progress(files: list[SourceFile]) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere. Gives the function that is told how many bytes were read."""
    columns = [
        TextColumn("Importing"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=sum(file.size for file in files))
        yield lambda count: progress.advance(task, count)


def _printable(text: str) -> str:
    """File names may hold anything, terminal commands included."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
