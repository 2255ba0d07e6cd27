"""Copies of a remote lake's files on this machine, since DuckDB reads local files only. Knows no Django.

A file of the lake never changes, so a copy of the right size is good for ever. Any number of processes may
use one cache: a copy appears under its name when it is complete.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING
from uuid import uuid4

from telemetry.lake.files import LakeFile, reading_the_store
from telemetry.lake.snapshot import TableSnapshot

if TYPE_CHECKING:
    from deltalake.fs import DeltaStorageHandler

COPIES_AT_ONCE = 8
CHUNK = 8 << 20
# A reader may still need what the newest snapshot does not.
KEPT_SECONDS = 3600


def copies_of(
    table: TableSnapshot, files: Sequence[LakeFile], cache: Path, storage_options: Mapping[str, str]
) -> list[Path]:
    """Where the copies of these files lie, in the same order; those that are missing are fetched.

    Copies that the table does not need, and nobody has used for an hour, are removed. Raises LakeChanged,
    LakeUnavailable.
    """
    folder = cache / table.name
    missing = [file for file in files if not _is_there(folder, file)]
    if missing:
        _fetch_all(table, missing, folder, storage_options)
    _remove_unused(folder, files)
    return [folder / file.path for file in files]


def remove_all(cache: Path) -> None:
    """At once: who reads a copy at this moment is told that the data changed."""
    doomed = cache.with_name(f"{cache.name}-{uuid4().hex}")
    try:
        cache.rename(doomed)
    except FileNotFoundError:
        return
    shutil.rmtree(doomed)


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
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        with store.open_input_file(file.path) as source, temporary.open("xb") as copy:
            shutil.copyfileobj(source, copy, CHUNK)
        if temporary.stat().st_size != file.size:
            raise OSError(f"{file.path} was not received whole")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_unused(folder: Path, files: Iterable[LakeFile]) -> None:
    needed = {folder / file.path for file in files}
    for path in folder.rglob("*"):
        if path not in needed and _is_unused(path):
            path.unlink(missing_ok=True)


def _is_unused(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < time() - KEPT_SECONDS
    except FileNotFoundError:
        return False
