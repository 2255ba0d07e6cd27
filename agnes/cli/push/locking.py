"""One push at a time, on this machine. The lock goes with its process, however that ends.

Who finds it taken may leave a request instead: the push that holds it looks for some before it ends, and who
left one tries to take the lock afterwards, so that no request stays behind.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agnes.cli import folders

PAUSE_SECONDS = 0.2


@contextmanager
def push_lock(*, seconds: float) -> Iterator[bool]:
    """Whether it could be had within this time. Raises LocalTrouble."""
    path = _folder() / "push.lock"
    try:
        file = open(path, "a+b")  # noqa: SIM115 - closed below
    except OSError as error:
        raise folders.unwritable(path, error) from error
    with file:
        yield _taken(file, seconds)


def leave_request(wish: str) -> None:
    folders.write_private(_requests() / f"{time.time_ns()}-{os.getpid()}", wish)


def has_requests() -> bool:
    return any(_requests().glob("[0-9]*"))


def take_requests() -> list[str]:
    """All that were left since the last time, each once."""
    wishes = []
    for path in sorted(_requests().glob("[0-9]*")):
        wishes.append(folders.read_text(path) or "")
        path.unlink(missing_ok=True)
    return list(dict.fromkeys(wishes))


def _requests() -> Path:
    return folders.make_folder(folders.state_folder() / "requests")


def _folder() -> Path:
    return folders.make_folder(folders.state_folder())


def _taken(file: IO[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _try(file):
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _try(file: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
