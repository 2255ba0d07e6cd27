"""What killed uploads left in the spool folder, where it is of a session that may not be here.

Everything there goes within a day by itself (telemetry/files/spool.py); this does not wait for that.
"""

import json
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import zstandard
from django.conf import settings

from telemetry.files.spool import UPLOAD_SUFFIX
from telemetry.files.storage import CHUNK_BYTES

# An upload that is under way writes all the time; whoever sends nothing for a minute is given up.
QUIET_SECONDS = 120


def remove_uploads_of(session_ids: Collection[str]) -> None:
    """On this machine; on others they go within a day."""
    names = [json.dumps(session_id).encode() for session_id in session_ids]
    before = time.time() - QUIET_SECONDS
    for path in Path(settings.SPOOL_DIR).glob(f"*{UPLOAD_SUFFIX}"):
        if names and _written(path) < before and _has_any(path, names):
            path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _has_any(path: Path, names: list[bytes]) -> bool:
    """Whether any of these stands in what of the file can be read."""
    longest = max(map(len, names))
    tail = b""
    for chunk in _readable(path):
        text = tail + chunk
        if any(name in text for name in names):
            return True
        tail = text[-longest:]
    return False


def _readable(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
            while chunk := raw.read(CHUNK_BYTES):
                yield chunk
    except (FileNotFoundError, zstandard.ZstdError):
        # It was written up to here, or is gone.
        return
