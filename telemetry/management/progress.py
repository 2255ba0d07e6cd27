"""Progress bars for people at a terminal; nothing, or plain lines, anywhere else."""

import sys
from collections.abc import Callable
from time import monotonic

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from telemetry.publishing import OnPublish

SECONDS_BETWEEN_LINES = 10
# Told the name of a step, how much of it is done, and of how much.
OnStep = Callable[[str, int, int], None]


def bars(*, quiet: bool = False) -> Progress:
    """On standard error, gone when they are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = quiet or not sys.stderr.isatty()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)


def days_published(progress: Progress) -> OnPublish:
    return steps(progress, "Publishing days")


def steps(progress: Progress, what: str) -> OnPublish:
    """A bar that appears with the first of them that are done."""
    bar = progress.add_task(what, total=None, visible=False)
    return lambda done, of: progress.update(bar, completed=done, total=of, visible=True)


def named_steps(progress: Progress) -> OnStep:
    """A bar for each step that is told of."""
    tasks: dict[str, TaskID] = {}

    def on_step(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(step)
        progress.update(tasks[step], completed=done, total=total)

    return on_step


def days_in_lines(out: OutputWrapper) -> OnPublish:
    """A line now and then, for logs."""
    written = 0.0

    def on_progress(done: int, of: int) -> None:
        nonlocal written
        if done == of or monotonic() - written > SECONDS_BETWEEN_LINES:
            written = monotonic()
            out.write(f"{done} of {of} days published")

    return on_progress
