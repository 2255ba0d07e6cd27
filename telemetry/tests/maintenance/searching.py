"""Whether a text stands anywhere in what Agnes keeps: each byte of each file, and what files hold inside."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import zstandard
from django.db import connection


def is_in_files(folder: Path | str, text: str) -> bool:
    return any(text in found for found in texts_below(Path(folder)))


def is_in_database(text: str) -> bool:
    return any(text in found for found in texts_in_database())


def texts_below(folder: Path) -> Iterator[str]:
    """Names and bytes of all files, values of Parquet files, and what compressed files hold."""
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder))
        if path.is_file():
            content = path.read_bytes()
            yield content.decode("latin-1")
            yield from texts_inside(path, content)


def texts_inside(path: Path, content: bytes) -> Iterator[str]:
    if path.suffix == ".parquet":
        yield str(pyarrow.parquet.ParquetFile(path).read().to_pylist())
    elif path.suffix == ".zst":
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)) as raw:
            yield raw.read().decode("latin-1")
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name + archive.read(name).decode("latin-1")


def texts_in_database() -> Iterator[str]:
    """All values of all tables."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield " ".join(map(text_of, row))


def text_of(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
