"""Rows whose texts are long and unlike each other take most memory."""

import json
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from deltalake import WriterProperties, write_deltalake

from telemetry.export.exporting import start_export
from telemetry.export.filters import Filters
from telemetry.export.formats import Format
from telemetry.export.process import ExportProcess
from telemetry.lake.tables import Kind
from telemetry.lake.writing import ROWS_IN_GROUP
from telemetry.models.lengths import NAME_LENGTH
from telemetry.tests.export import lakes
from telemetry.tests.lake.small_lakes import DAY, EVENTS, schema_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.sample]

GROUPS = 3
ROWS = GROUPS * ROWS_IN_GROUP
PRINTABLE = bytes(48 + byte % 64 for byte in range(256))
LIMIT = 512_000_000


@pytest.fixture(autouse=True)
def wide_events(settings: Any) -> None:
    """Every text is as long as the longest may be, in ASCII: 6 KB a row."""
    lakes.build({})
    schema = schema_of(EVENTS)
    write_deltalake(
        f"{settings.LAKE_URL}/{EVENTS.name}",
        pa.RecordBatchReader.from_batches(schema, (_group(schema) for _ in range(GROUPS))),
        mode="append",
        writer_properties=WriterProperties(compression="ZSTD", max_row_group_size=ROWS_IN_GROUP),
    )
    lakes.note_versions()


def _group(schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([_column(field) for field in schema], schema=schema)


def _column(field: pa.Field) -> pa.Array:
    if EVENTS.columns.get(field.name) == Kind.TEXT:
        ends = array("i", range(0, (ROWS_IN_GROUP + 1) * NAME_LENGTH, NAME_LENGTH))
        noise = os.urandom(ROWS_IN_GROUP * NAME_LENGTH).translate(PRINTABLE)
        return pa.StringArray.from_buffers(ROWS_IN_GROUP, pa.py_buffer(ends), pa.py_buffer(noise))
    value = DAY if field.name == "day" else lakes.DEFAULTS[EVENTS.columns[field.name]]
    return pa.array([value] * ROWS_IN_GROUP, field.type)


class Watched:
    """The chunks of an export; `peak` is the most memory that its process had, in bytes."""

    def __init__(self, format: Format) -> None:
        self.format = format
        self.peak = 0
        self.processes: set[int] = set()

    def __iter__(self) -> Iterator[bytes]:
        export = start_export(Filters(format=self.format), actor=None)
        try:
            for chunk in export:
                self._look(export._process)
                yield chunk
        finally:
            export.close()

    def _look(self, process: ExportProcess) -> None:
        self.processes.add(process._child.pid)
        status = Path(f"/proc/{process._child.pid}/status").read_text().split()
        if "VmHWM:" in status:
            self.peak = max(self.peak, int(status[status.index("VmHWM:") + 1]) * 1024)


@pytest.mark.parametrize("format", [Format.CSV, Format.NDJSON, Format.PARQUET])
def test_they_come_whole_in_little_memory(tmp_path: Path, format: Format):
    out = tmp_path / "out"
    watched = Watched(format)
    with out.open("wb") as file:
        file.writelines(watched)
    assert watched.peak < LIMIT
    if format is Format.PARQUET:
        assert pa.parquet.ParquetFile(out).metadata.num_rows == ROWS
    else:
        with out.open() as lines:
            rows = sum(_is_whole(line, format) for line in lines)
        assert rows == ROWS + (format is Format.CSV)


def _is_whole(line: str, format: Format) -> bool:
    width = len(json.loads(line) if format is Format.NDJSON else line.split(","))
    return width == len(EVENTS.columns)
