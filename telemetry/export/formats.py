"""The formats, and how DuckDB writes them. Knows no Django."""

from enum import StrEnum

# ISO 8601 with milliseconds; the connection's zone is UTC.
MOMENTS = "TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%gZ'"


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
    # Groups are small, so that wide rows fit into the memory of the process, and as large as the lake's.
    Format.PARQUET: "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480",
}
