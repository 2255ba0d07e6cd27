"""A push that goes on by itself: Claude Code waits for a hook for a second or so when a session ends."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agnes.cli import folders, program

LOG_BYTES = 1_000_000


def start(arguments: Sequence[str], *, folder: str | None) -> None:
    """`agnes …` in a process of its own, which writes to the log what it has to say. Raises LocalTrouble."""
    log = log_file()
    try:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            os.replace(log, log.with_suffix(".old.log"))
        with open(log, "ab", opener=_private) as output:
            subprocess.Popen(
                [*program.COMMAND, *arguments],
                cwd=folder if folder and Path(folder).is_dir() else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **_apart(),
            )
    except OSError as error:
        raise folders.unwritable(log, error) from error


def log_file() -> Path:
    return folders.make_folder(folders.state_folder()) / "push.log"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _apart() -> dict[str, Any]:
    """Of the terminal and the process group of Claude Code."""
    if os.name == "nt":
        detached, new_group, no_window = 0x8, 0x200, 0x08000000
        return {"creationflags": detached | new_group | no_window}
    return {"start_new_session": True}
