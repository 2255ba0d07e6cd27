"""One git command, within limits of time and size."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from marketplace.git.errors import GitUnusable, RepositoryTooLarge, TookTooLong

LOOK_EVERY_SECONDS = 0.1
SHOWN_ERROR_BYTES = 20_000
# The first that keeps away from the configuration of the machine (GIT_CONFIG_GLOBAL).
OLDEST_GIT = (2, 32)


@dataclass(frozen=True)
class Limits:
    """For all commands of one sync together. `keep_alive` is called often and may raise to stop them.

    The folder may grow by `folder_bytes` beyond `held_bytes`.
    """

    deadline: float
    folder_bytes: int
    keep_alive: Callable[[], None] = lambda: None
    held_bytes: int = 0


class GitExited(Exception):
    """A git command failed: what it said."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def run_git(args: Sequence[str], env: Mapping[str, str], limits: Limits) -> IO[bytes]:
    """What the command printed, as a temporary file at its beginning.

    The folder that is watched is GIT_DIR. Raises GitExited, TookTooLong, RepositoryTooLarge, GitUnusable.
    """
    require_git()
    printed, said = TemporaryFile(), TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(
        ["git", *args],
        env=dict(env),
        cwd=env["GIT_DIR"],
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=said,
        start_new_session=True,
    )
    try:
        _watch(process, Path(env["GIT_DIR"]), (printed, said), limits)
    finally:
        kill_group(process)
    if process.returncode:
        raise GitExited(_end_of(said))
    printed.seek(0)
    return printed


def _watch(
    process: "subprocess.Popen[bytes]", folder: Path, outputs: Sequence[IO[bytes]], limits: Limits
) -> None:
    while True:
        try:
            process.wait(LOOK_EVERY_SECONDS)
            check_size(folder, outputs, limits)
            return
        except subprocess.TimeoutExpired:
            limits.keep_alive()
            check_size(folder, outputs, limits)
        if monotonic() > limits.deadline:
            raise TookTooLong(
                "The repository was not fetched in time.",
                "Try again later; if it is just large, raise MARKETPLACE_FETCH_SECONDS.",
            )


def check_size(folder: Path, outputs: Sequence[IO[bytes]], limits: Limits) -> None:
    size = size_of(folder) + sum(os.fstat(output.fileno()).st_size for output in outputs)
    if size > limits.held_bytes + limits.folder_bytes:
        raise RepositoryTooLarge(
            f"The repository is larger than {limits.folder_bytes} bytes.",
            "Leave it out, or raise MARKETPLACE_MAX_BYTES.",
        )


def size_of(folder: Path) -> int:
    """In bytes. Files may vanish meanwhile."""
    size = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(base, name)).st_size
            except FileNotFoundError:
                continue
    return size


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """The command, and what it started: git-remote-https, ssh, index-pack."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_of(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - SHOWN_ERROR_BYTES))
    return said.read().decode("utf-8", "replace")


@cache
def require_git() -> None:
    """Raises GitUnusable where there is no git, or one that would read the machine's configuration."""
    try:
        done = subprocess.run(["git", "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        raise GitUnusable("There is no git on this machine.", "Install the package git.") from None
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    if not found or (int(found[1]), int(found[2])) < OLDEST_GIT:
        needed = ".".join(map(str, OLDEST_GIT))
        raise GitUnusable(f"This machine's git is older than {needed}.", "Install a newer package git.")
