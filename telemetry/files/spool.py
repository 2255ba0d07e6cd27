"""The spool folder: what uploads, exports and queries keep on disk while they are under way, and for a day
the indexes of transcripts that were read."""

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from telemetry.lake.door import SPILL_PREFIX

log = logging.getLogger(__name__)

UPLOAD_SUFFIX = ".jsonl.zst"
EXPORT_PREFIX = "export-"
FORM_PREFIX = "form-"
INDEX_PREFIX = "index-"
PACK_SUFFIX = ".pack.zip"
PREFIXES = (EXPORT_PREFIX, FORM_PREFIX, INDEX_PREFIX, SPILL_PREFIX)
PATTERNS = (f"*{UPLOAD_SUFFIX}", f"*{PACK_SUFFIX}", *(f"{prefix}*" for prefix in PREFIXES))
# Nothing goes on for so long without writing a byte.
LEFTOVER_AGE = timedelta(days=1)


def spool_folder() -> Path:
    """Made where it is missing."""
    folder = Path(settings.SPOOL_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def spooled_file(suffix: str) -> Iterator[Path]:
    """An empty file, gone afterwards unless it was moved. One of the suffixes above, by which `leftovers`
    finds what a kill leaves."""
    with tempfile.NamedTemporaryFile(dir=spool_folder(), suffix=suffix, delete=False) as file:
        path = Path(file.name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Remove what was killed before it could tidy up, and indexes, which are made again when needed."""
    found = leftovers(LEFTOVER_AGE)
    for path in found:
        remove(path)
    if found:
        log.info("Removed %s leftovers from %s.", len(found), settings.SPOOL_DIR)


def leftovers(min_age: timedelta) -> list[Path]:
    """Ours that nobody has written to for so long."""
    before = time.time() - min_age.total_seconds()
    return sorted(path for path in _ours() if last_written(path) <= before)


def size_of(path: Path) -> int:
    """In bytes; of a folder all that is in it."""
    try:
        return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())
    except FileNotFoundError:
        return 0


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _ours() -> Iterator[Path]:
    folder = Path(settings.SPOOL_DIR)
    for pattern in PATTERNS:
        yield from folder.glob(pattern)


def last_written(path: Path) -> float:
    """When it, or anything in it, was last written to, in seconds since 1970; now where it goes meanwhile."""
    try:
        return max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()
