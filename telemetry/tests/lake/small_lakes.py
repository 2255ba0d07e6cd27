"""Small lakes for tests of their readers: Delta tables like the publisher's, made without a database."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake

from telemetry.lake.snapshot import Snapshot, TableSnapshot
from telemetry.lake.tables import PARTITION, TABLES, Kind, LakeTable

Row = dict[str, Any]
TABLE_BY_NAME = {table.name: table for table in TABLES}
EVENTS = TABLE_BY_NAME["usage_events"]
DAY = date(2026, 5, 1)
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DECIMAL: pa.decimal128(15, 3),
    Kind.DATE: pa.date32(),
    Kind.MOMENT: pa.timestamp("us", "UTC"),
}


def event(number: int, day: date | None = DAY) -> Row:
    """Event `number` of its day, a second after the one before."""
    at = datetime.combine(day, time(), UTC) + timedelta(seconds=number) if day else None
    milliseconds = int(at.timestamp() * 1000) if at else 0
    prefix = f"{milliseconds:012x}"
    id = f"{prefix[:8]}-{prefix[8:]}-8000-8000-{number:012x}"
    return {"id": id, "occurred_at": at, "tool_name": f"tool {number % 3}", "user_id": number % 7}


def create(url: str, table: LakeTable, options: Mapping[str, str] | None = None) -> None:
    DeltaTable.create(
        f"{url}/{table.name}",
        schema=schema_of(table),
        partition_by=[PARTITION] if table.moment else None,
        storage_options=dict(options or {}),
    )


def write(
    url: str,
    table: LakeTable,
    rows: Iterable[Row],
    day: date | None = DAY,
    options: Mapping[str, str] | None = None,
) -> None:
    """Replace a day."""
    schema = schema_of(table)
    partition = {PARTITION: day} if table.moment else {}
    write_deltalake(
        f"{url}/{table.name}",
        pa.Table.from_pylist([{**row, **partition} for row in rows], schema=schema),
        mode="overwrite",
        predicate=_predicate(day) if table.moment else None,
        writer_properties=WriterProperties(compression="ZSTD", max_row_group_size=1000),
        storage_options=dict(options or {}),
    )


def snapshot_of(
    url: str, *tables: LakeTable, options: Mapping[str, str] | None = None, cache: Path | None = None
) -> Snapshot:
    """The newest version of each table."""
    return Snapshot(
        tables=tuple(_table_snapshot(url, table, options or {}) for table in tables),
        storage_options=dict(options or {}),
        cache=str(cache) if cache else None,
        as_of=None,
    )


def schema_of(table: LakeTable) -> pa.Schema:
    fields = {name: _TYPES[kind] for name, kind in table.columns.items()}
    if table.moment:
        fields[PARTITION] = pa.date32()
    return pa.schema(list(fields.items()))


def _table_snapshot(url: str, table: LakeTable, options: Mapping[str, str]) -> TableSnapshot:
    table_url = f"{url}/{table.name}"
    return TableSnapshot(
        name=table.name,
        url=table_url,
        version=DeltaTable(table_url, storage_options=dict(options)).version(),
        columns={name: str(kind) for name, kind in table.columns.items()},
        partitioned=table.moment is not None,
    )


def _predicate(day: date | None) -> str:
    return f"{PARTITION} = '{day}'" if day else f"{PARTITION} IS NULL"
