"""The spool folder: what uploads, exports and queries keep on disk while they are under way."""

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from telemetry.lake.door import SPILL_PREFIX

log = logging.getLogger(__name__)

UPLOAD_SUFFIX = ".jsonl.zst"
EXPORT_PREFIX = "export-"
PATTERNS = (f"*{UPLOAD_SUFFIX}", f"{EXPORT_PREFIX}*", f"{SPILL_PREFIX}*")
# Nothing goes on for so long without writing a byte.
LEFTOVER_SECONDS = 24 * 3600


def remove_leftovers() -> None:
    """Remove what was killed before it could tidy up."""
    before = time.time() - LEFTOVER_SECONDS
    leftovers = [path for path in _ours() if _newest(path) < before]
    for path in leftovers:
        _remove(path)
    if leftovers:
        log.info("Removed %s leftovers of what was killed from %s.", len(leftovers), settings.SPOOL_DIR)


def _ours() -> Iterator[Path]:
    folder = Path(settings.SPOOL_DIR)
    for pattern in PATTERNS:
        yield from folder.glob(pattern)


def _newest(path: Path) -> float:
    """When it, or anything in it, was last written to; now where it goes away meanwhile."""
    try:
        return max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
