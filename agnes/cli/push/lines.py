"""A file up to its last complete line, while Claude Code may be writing to it."""

import json
from collections.abc import Iterator
from typing import IO

# What the server cuts a line at.
LONGEST_LINE = 64 * 1024 * 1024


def complete_lines(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Of the first `size` bytes. What follows the last line end counts if it is a whole object."""
    left = size
    while left > 0 and (line := file.readline(min(left, LONGEST_LINE))):
        left -= len(line)
        if line.endswith(b"\n") or len(line) == LONGEST_LINE or _is_object(line):
            yield line


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
