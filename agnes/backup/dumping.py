"""Rows of a table as chunks of lines of JSON, compressed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from agnes.backup.tables import Table

# A chunk is in memory as a whole, and so are the rows that the database gives at a time.
CHUNK_BYTES = 8 << 20
ROWS_AT_ONCE = 2000
WIDE_ROWS_AT_ONCE = 100
LEVEL = 3


@dataclass(frozen=True)
class Chunk:
    content: bytes
    rows: int


def chunks_of(table: Table, *, using: str) -> Iterator[Chunk]:
    """At least one, which tells the columns."""
    header = msgspec.json.encode(table.header)
    encode = msgspec.json.Encoder().encode
    lines, size, number = [header], 0, 0
    for row in _rows(table, using):
        line = encode(row)
        lines.append(line)
        size += len(line)
        if size >= CHUNK_BYTES:
            yield _packed(lines)
            lines, size, number = [header], 0, number + 1
    if len(lines) > 1 or not number:
        yield _packed(lines)


def _rows(table: Table, using: str) -> Iterator[tuple[Any, ...]]:
    rows = table.model._base_manager.using(using).order_by("pk").values_list(*table.fields)
    return rows.iterator(WIDE_ROWS_AT_ONCE if table.is_wide else ROWS_AT_ONCE)


def _packed(lines: list[bytes]) -> Chunk:
    content = zstandard.ZstdCompressor(level=LEVEL).compress(b"\n".join(lines) + b"\n")
    return Chunk(content, len(lines) - 1)
