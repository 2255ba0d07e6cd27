"""The slash command /agnes-private: it runs before the model gets to see anything."""

from pathlib import Path

from agnes.cli import folders
from agnes.cli.setup.documents import SHARED

NAME = "agnes-private.md"
TEXT = """\
---
description: Keep this session private - nothing of it goes to Agnes, and what went is removed
allowed-tools: Bash(agnes mark-private:*)
disable-model-invocation: true
---

!`agnes mark-private`

The command above has done all there is to do. Say in one sentence what it printed, and nothing else.
"""


def write(commands: Path) -> bool:
    """Whether anything had to be written; one that somebody has changed stays. Raises LocalTrouble."""
    path = commands / NAME
    if folders.read_text(path) is not None:
        return False
    try:
        commands.mkdir(parents=True, exist_ok=True)
        folders.write_new(path, TEXT, SHARED)
    except OSError as error:
        raise folders.unwritable(path, error) from error
    return True


def remove(commands: Path) -> bool:
    """Whether it was there as we wrote it."""
    path = commands / NAME
    if folders.read_text(path) != TEXT:
        return False
    path.unlink()
    if not any(commands.iterdir()):
        commands.rmdir()
    return True
