"""Copies of a remote lake's files on this machine, since DuckDB reads local files only. Knows no Django.

A file of the lake never changes, so a copy of the right size is good for ever. Any number of processes may
use one cache: a copy appears under its name when it is complete.

The copies lie in a folder that is named after the last deletion for privacy: whoever knows of a later one
begins a folder of its own and removes all others, and what was deleted cannot be fetched again.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import time
from typing import IO, TYPE_CHECKING
from uuid import uuid4

from telemetry.errors import LakeChanged
from telemetry.lake.files import LakeFile
from telemetry.lake.snapshot import TableSnapshot
from telemetry.lake.store_errors import reading_the_store

if TYPE_CHECKING:
    from deltalake.fs import DeltaStorageHandler

COPIES_AT_ONCE = 8
CHUNK = 8 << 20
# A reader may still need what the newest snapshot does not.
KEPT_SECONDS = 3600
# A copy that nobody used for so long may go although it is needed: it is fetched again.
KEPT_WITHOUT_USE_SECONDS = 24 * 3600


def copies_of(
    table: TableSnapshot, files: Sequence[LakeFile], folder: Path, storage_options: Mapping[str, str]
) -> list[Path]:
    """Where the copies of these files lie, in the same order; those that are missing are fetched.

    Copies in `folder` that the table does not need, and nobody has used for an hour, are removed. Raises
    LakeChanged, LakeUnavailable.
    """
    own = folder / table.name
    with _others_may_remove_copies():
        missing = [file for file in files if not _is_there(own, file)]
        if missing:
            _fetch_all(table, missing, own, storage_options)
        needed = {own / file.path for file in files}
        _remove(path for path in _unused(own, KEPT_SECONDS) if path not in needed)
    return [own / file.path for file in files]


def folder_since(cache: Path, purged_at: str | None) -> Path:
    """Where copies lie that were made since the last deletion for privacy. Older ones are removed."""
    current = cache / (purged_at or "never purged")
    others = [folder for folder in cache.glob("*") if folder != current]
    for folder in [*others, *_left_behind(cache)]:
        _remove_folder(folder)
    return current


def sweep(cache: Path, purged_at: str | None) -> None:
    """Remove the copies, of all tables, that are older than the last deletion or were not used for a day."""
    folder = folder_since(cache, purged_at)
    with suppress(FileNotFoundError):
        _remove(_unused(folder, KEPT_WITHOUT_USE_SECONDS))


def remove_all(cache: Path) -> None:
    """At once: who reads a copy at this moment is told that the data changed."""
    with suppress(FileNotFoundError):
        cache.rename(cache.with_name(f"{cache.name}-{uuid4().hex}"))
    for folder in _left_behind(cache):
        _remove_folder(folder)


def _left_behind(cache: Path) -> list[Path]:
    """Whole caches that are being removed, perhaps by a process that was killed over it."""
    return list(cache.parent.glob(f"{cache.name}-*"))


def _remove_folder(folder: Path) -> None:
    """Another process may be at it too."""
    while folder.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


@contextmanager
def _others_may_remove_copies() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise LakeChanged(in_copies=True) from error


def _is_there(folder: Path, file: LakeFile) -> bool:
    """Notes that it is used, too."""
    path = folder / file.path
    try:
        if path.stat().st_size != file.size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _fetch_all(
    table: TableSnapshot, files: Sequence[LakeFile], folder: Path, storage_options: Mapping[str, str]
) -> None:
    from deltalake.fs import DeltaStorageHandler

    with reading_the_store():
        store = DeltaStorageHandler(table.url, dict(storage_options))
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            # In a list, so that an error of any of them is seen.
            list(pool.map(partial(_fetch, store, folder), files))


def _fetch(store: "DeltaStorageHandler", folder: Path, file: LakeFile) -> None:
    target = folder / file.path
    with store.open_input_file(file.path) as source, _others_may_remove_copies():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            _write_durably(source, temporary, file)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def _write_durably(source: IO[bytes], path: Path, file: LakeFile) -> None:
    """After a power cut a file may have its size and not its bytes, and the size is all that is looked at."""
    with path.open("xb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
        copy.flush()
        os.fsync(copy.fileno())
    if path.stat().st_size != file.size:
        raise OSError(f"{file.path} was not received whole")


def _unused(folder: Path, seconds: int) -> Iterator[Path]:
    for path in list(folder.rglob("*")):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < time() - seconds:
                yield path


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
