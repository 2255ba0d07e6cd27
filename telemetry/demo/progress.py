"""A progress bar for people at a terminal; silence anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from telemetry.demo.world import Progress as OnProgress
from telemetry.management.progress import named_steps


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[OnProgress]:
    """Gives a function that takes a stage's name, how much is done, and of how much."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bars:
        yield named_steps(bars)
