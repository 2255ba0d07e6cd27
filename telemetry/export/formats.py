"""The formats, and how DuckDB writes them. Knows no Django."""

from enum import StrEnum

# What DuckDB may take where rows are wide; a process stays under 512 MB with it (benchmarks/export.py).
FRUGAL_MEMORY_LIMIT = "350MB"
# ISO 8601 with microseconds, as the database has them; the connection's zone is UTC.
MOMENTS = "TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ'"


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]

    @property
    def is_text(self) -> bool:
        return self is not Format.PARQUET

    @property
    def is_parallel(self) -> bool:
        """Several threads give the same bytes. Parquet's row groups would depend on which one was faster."""
        return self is not Format.PARQUET

    @property
    def memory_limit(self) -> str:
        """DuckDB writes CSV with a second thread only where a quarter of this is 4 MiB for each column, of
        which events have 31. It does not use it up, and the process watches what it really takes."""
        return "500MiB" if self is Format.CSV else FRUGAL_MEMORY_LIMIT

    @property
    def copy_options(self) -> str:
        """For DuckDB's COPY … TO a pipe."""
        return f"{_COPY_OPTIONS[self]}, USE_TMP_FILE false"


_CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.JSON: "application/json",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}

_COPY_OPTIONS = {
    # RFC 4180. NULL is nothing at all, and an empty text is "".
    Format.CSV: f"FORMAT csv, HEADER, NEW_LINE '\\r\\n', NULLSTR '', {MOMENTS}",
    Format.JSON: f"FORMAT json, ARRAY true, {MOMENTS}",
    Format.NDJSON: f"FORMAT json, ARRAY false, {MOMENTS}",
    # Groups are small, so that wide rows fit into the memory of the process, and as large as the lake's. The
    # lowest level of compression takes a tenth less time, and gives files as small as the usual one.
    Format.PARQUET: "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 20480",
}
