"""What the lake holds, read straight from its files, to be compared with the database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from telemetry.lake.location import storage_options, table_url
from telemetry.lake.tables import TABLES, Kind, LakeTable
from telemetry.models import LakeSnapshot

Row = tuple[Any, ...]
Day = date | None


def snapshot() -> LakeSnapshot:
    return LakeSnapshot.objects.get()


def in_lake() -> dict[str, dict[Day, list[Row]]]:
    """The rows of each table's partitions at the versions of the snapshot, in their order."""
    return {table.name: _partitions(table) for table in TABLES}


def in_database() -> dict[str, dict[Day, list[Row]]]:
    """What the lake must hold."""
    found: dict[str, dict[Day, list[Row]]] = {}
    for table in TABLES:
        days = found[table.name] = {}
        for row in table.model._default_manager.values(*table.columns):
            values = tuple(_plain(row[name], kind) for name, kind in table.columns.items())
            days.setdefault(_day(row[table.moment]) if table.moment else None, []).append(values)
        for rows in days.values():
            names = list(table.columns)
            rows.sort(key=lambda row: [_by_size(row[names.index(name)]) for name in table.order])
    return found


def _by_size(value: Any) -> tuple[int, bytes]:
    """Numbers by their size, texts by their bytes; a column holds either."""
    return (value, b"") if isinstance(value, int) else (0, str(value).encode())


def files_of(table: LakeTable) -> list[tuple[Day, str]]:
    """The day and the path of each file at the snapshot's version."""
    delta = DeltaTable(
        table_url(table.name), version=snapshot().versions[table.name], storage_options=storage_options()
    )
    actions = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    return [(action.get("partition.day"), action["path"]) for action in actions]


def _partitions(table: LakeTable) -> dict[Day, list[Row]]:
    handler = DeltaStorageHandler(table_url(table.name), storage_options())
    files = pyarrow.fs.PyFileSystem(handler)
    found: dict[Day, list[Row]] = {}
    for day, path in files_of(table):
        with files.open_input_file(path) as file:
            rows = pyarrow.parquet.read_table(file)
        if table.moment == "day":
            rows = rows.add_column(list(table.columns).index("day"), "day", [[day] * rows.num_rows])
        assert rows.column_names == list(table.columns)
        columns = [column.to_pylist() for column in rows.columns]
        found.setdefault(day, []).extend(zip(*columns, strict=True))
    return found


def _day(value: Any) -> Day:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else value


def _plain(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind is Kind.TEXT:
        return str(value)
    if kind is Kind.DECIMAL:
        return Decimal(value).quantize(Decimal("0.001"))
    return value
