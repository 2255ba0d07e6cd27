"""The repositories on this machine: one for each view, whoever has it.

They can be built again at any time, so nothing here needs a backup. One that somebody reads is held by a
shared lock on a file in it, and the collector removes only what it can lock for itself.
"""

import errno
import fcntl
import json
import logging
import math
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from marketplace.git.errors import RepositoryDamaged
from marketplace.serving.building import COMMIT, LEFT_OUT, build
from marketplace.serving.view import View
from telemetry.files.spool import last_written

log = logging.getLogger(__name__)

UNUSED_SECONDS = 7 * 24 * 3600
LEFTOVER_SECONDS = 3600
TEMPORARY = "tmp-"
_HOLD = "agnes-hold"
_ATTEMPTS = 5
# Many ask for a new view at once: one thread builds it. Another view need not wait for that, since it may be
# waiting for a git host.
_building = [threading.Lock() for _ in range(64)]


def served_folder() -> Path:
    return Path(settings.DATA_DIR) / "served"


def path_of(key: str) -> Path:
    return served_folder() / f"{key}.git"


@contextmanager
def repository_of_view(view: View) -> Iterator[Path]:
    """Of this machine, built if it is not there; nobody removes it meanwhile.

    Raises UpstreamMissing, RepositoryDamaged.
    """
    for _ in range(_ATTEMPTS):
        with held_repository(view.key) as path:
            if path is not None:
                yield path
                return
        _build(view)
    raise RepositoryDamaged


@contextmanager
def held_repository(key: str) -> Iterator[Path | None]:
    """None where it is not on this machine."""
    path = path_of(key)
    try:
        file = os.open(path / _HOLD, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        is_here = _is_same(file, path / _HOLD)
        if is_here:
            os.utime(file)
        yield path if is_here else None
    finally:
        os.close(file)


def commit_in(repository: Path) -> str:
    return (repository / COMMIT).read_text()


def left_out_of(repository: Path) -> dict[int, str]:
    """What of the view could not be served, by the plugin's id: why."""
    return {int(pk): reason for pk, reason in json.loads((repository / LEFT_OUT).read_text()).items()}


def collect(now: float | None = None) -> int:
    """Remove what nobody fetched for long, and what killed builders left. Returns how many it were."""
    now = now or time.time()
    folder = served_folder()
    unused = [path for path in folder.glob("*.git") if _remove_unused(path, now - UNUSED_SECONDS)]
    left = [path for path in folder.glob(f"{TEMPORARY}*") if last_written(path) < now - LEFTOVER_SECONDS]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(unused) + len(left)


def remove_all() -> bool:
    """Of this machine; each is built anew when somebody fetches it. False where one is being read."""
    removed = [_remove_unused(path, math.inf) for path in served_folder().glob("*.git")]
    return all(removed)


def _build(view: View) -> None:
    """In a folder of its own, which then gets its name: of two processes the second throws its own away."""
    target = path_of(view.key)
    with _building[int(view.key, 16) % len(_building)]:
        if target.exists():
            return
        temporary = _temporary()
        try:
            _build_here(view, temporary)
            temporary.rename(target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    _make_room(but_for=target)


def _make_room(but_for: Path) -> None:
    """Whoever changes their stack again and again has a repository built each time: those that nobody has
    read for the longest go."""
    found = sorted(served_folder().glob("*.git"), key=_last_read)
    left = sum(map(_bytes_in, found)) - settings.SERVED_MAX_BYTES
    for path in found:
        if left <= 0:
            return
        size = _bytes_in(path)
        if path != but_for and _remove_unused(path, time.time()):
            left -= size


def _last_read(path: Path) -> float:
    try:
        return (path / _HOLD).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _bytes_in(path: Path) -> int:
    try:
        return int((path / _HOLD).read_text())
    except FileNotFoundError:
        return 0


def _build_here(view: View, folder: Path) -> None:
    """A sync may put away what is just being read: then it is read once more, of the same content."""
    try:
        build(view, folder)
    except RepositoryDamaged:
        log.info("A marketplace changed while its plugins were read: reading them again.")
        shutil.rmtree(folder)
        build(view, folder)
    # What it takes is told by the file that is looked at anyway.
    (folder / _HOLD).write_text(str(sum(path.stat().st_size for path in folder.rglob("*"))))
    _sync_to_disk(folder)


def _sync_to_disk(folder: Path) -> None:
    """So that after a power cut there is no repository with empty files, which nobody would build again."""
    for path in (*folder.rglob("*"), folder):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _temporary() -> Path:
    return served_folder() / f"{TEMPORARY}{secrets.token_hex(8)}"


def _remove_unused(path: Path, before: float) -> bool:
    try:
        file = os.open(path / _HOLD, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_mtime >= before:
            return False
        gone = _temporary()
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        return True
    except (BlockingIOError, FileNotFoundError):
        return False
    finally:
        os.close(file)


def _is_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False
