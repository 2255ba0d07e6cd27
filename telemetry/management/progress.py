"""Progress bars for people at a terminal; nothing, or plain lines, anywhere else."""

import sys
from time import monotonic

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from telemetry.publishing import OnPublish

SECONDS_BETWEEN_LINES = 10


def bars(*, quiet: bool = False) -> Progress:
    """On standard error, gone when they are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = quiet or not sys.stderr.isatty()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)


def days_published(progress: Progress) -> OnPublish:
    """A bar that appears with the first days that are published."""
    bar = progress.add_task("Publishing days", total=None, visible=False)
    return lambda done, of: progress.update(bar, completed=done, total=of, visible=True)


def days_in_lines(out: OutputWrapper) -> OnPublish:
    """A line now and then, for logs."""
    written = 0.0

    def on_progress(done: int, of: int) -> None:
        nonlocal written
        if done == of or monotonic() - written > SECONDS_BETWEEN_LINES:
            written = monotonic()
            out.write(f"{done} of {of} days published")

    return on_progress
