"""Files of a local lake that were being written when their publisher was killed: `part.parquet#1`.

The store gives a file its name once it is whole. Its listings leave the others out, and so does vacuum.
"""

import re
import time
from pathlib import Path

from telemetry.lake.location import is_remote, table_url

NAME = re.compile(r".+#\d+")


def half_written(table: str, hours: int) -> list[Path]:
    """Those that nobody has written to for so long; none in a bucket, where files are whole or not there."""
    if is_remote():
        return []
    before = time.time() - hours * 3600
    found = (path for path in Path(table_url(table)).rglob("*#*") if NAME.fullmatch(path.name))
    return sorted(path for path in found if path.stat().st_mtime <= before)


def remove_half_written(table: str, hours: int) -> None:
    for path in half_written(table, hours):
        path.unlink(missing_ok=True)
