"""Export usage data into a file, or to standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.errors import AgnesError
from telemetry.errors import WrongFilter
from telemetry.export.datasets import Dataset
from telemetry.export.exporting import Export, start_export
from telemetry.export.filters import Filters, read_filters
from telemetry.export.formats import Format
from telemetry.export.moments import EXAMPLE
from telemetry.export.writing import OnProgress, copy, whole_file
from telemetry.management.interruption import sigterm_interrupts
from telemetry.models import Source

# As the shell has it for a program that wrote into a closed pipe.
CLOSED_PIPE = 141
# Filters that have another name here.
OPTIONS = {"user_id": "user", "spreadsheet_safe": "spreadsheet-safe"}


class Command(BaseCommand):
    help = "Export usage data as CSV, JSON or Parquet, into a file or to standard output."
    # They take a tenth of a second, and what they find is for who runs the server.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        # No `choices`: what is wrong is told in one place, for every door.
        parser.add_argument("--dataset", help=f"{', '.join(Dataset)}; default: events")
        parser.add_argument("--format", help=f"{', '.join(Format)}; default: csv")
        parser.add_argument("--since", metavar="TIME", help=f"from then on: {EXAMPLE}")
        parser.add_argument("--until", metavar="TIME", help="before then")
        parser.add_argument("--user", metavar="EMAIL", help="one person: the e-mail address, or the id")
        parser.add_argument("--source", help=", ".join(Source.values))
        parser.add_argument(
            "--spreadsheet-safe",
            action="store_true",
            help="CSV: an apostrophe before cells that a spreadsheet would take for a formula",
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")

    def handle(self, *args: Any, out: Path | None, verbosity: int, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                filters = _filters(options)
                _check_target(out, filters)
                self._export(filters, out, quiet=verbosity == 0)
        except BrokenPipeError:
            sys.exit(CLOSED_PIPE)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except OSError as error:
            raise CommandError(f"{_what_is_there(out)}: {error.strerror}.") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was exported.", returncode=130) from None

    def _export(self, filters: Filters, out: Path | None, *, quiet: bool) -> None:
        with (
            closing(start_export(filters, actor=None)) as export,
            _progress(export, quiet=quiet) as on_progress,
        ):
            if out is None:
                copy(export, sys.stdout.fileno(), on_progress)
            else:
                with whole_file(out) as descriptor:
                    copy(export, descriptor, on_progress)
        if out is not None and not quiet:
            self.stdout.write(f"{export.rows} rows in {out}, as of {export.as_of}.")


def _filters(options: dict[str, Any]) -> Filters:
    names = ("dataset", "format", "since", "until", "source")
    given = {name: options[name] for name in names if options[name] is not None}
    if options["spreadsheet_safe"]:
        given["spreadsheet_safe"] = "1"
    if options["user"] is not None:
        given["user_id"] = options["user"]
    try:
        return read_filters(given, by_address=True)
    except WrongFilter as error:
        raise WrongFilter({OPTIONS.get(name, name): what for name, what in error.fields.items()}) from None


def _what_is_there(out: Path | None) -> str:
    """A file is whole or as it was before; what reached standard output cannot be taken back."""
    return f"Nothing was written to {out}" if out else "Not everything was written to standard output"


def _check_target(out: Path | None, filters: Filters) -> None:
    if out is None:
        if not filters.format.is_text and os.isatty(sys.stdout.fileno()):
            raise CommandError("Parquet is nothing for a terminal: add --out FILE.")
    elif not out.parent.is_dir():
        raise CommandError(f"There is no folder {out.parent}: make it first.")
    elif out.exists() and not out.is_file():
        raise CommandError(f"{out} is no file: name a file, or leave --out out and redirect standard output.")


@contextmanager
def _progress(export: Export, *, quiet: bool) -> Iterator[OnProgress]:
    """A line on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda count: None
        return
    # Imported here: it costs a tenth of what a small export takes.
    from rich.console import Console
    from rich.progress import (
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Exporting {export.rows:,} rows", total=None)
        yield lambda count: progress.update(task, completed=count)
