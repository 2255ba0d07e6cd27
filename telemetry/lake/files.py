"""Which files one version of a table consists of. Knows no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from telemetry.lake.snapshot import TableSnapshot
from telemetry.lake.store_errors import reading_the_store


@dataclass(frozen=True)
class LakeFile:
    """`path` is relative to the table; `size` in bytes."""

    path: str
    size: int


def files_of(table: TableSnapshot, storage_options: Mapping[str, str]) -> list[LakeFile]:
    """In day order, without a day last. A day has one file, sorted (telemetry/lake/writing.py), so that one
    after another they give the rows in the table's order. Raises LakeChanged, LakeUnavailable."""
    # It takes time and memory that only readers of the lake need.
    from deltalake import DeltaTable

    with reading_the_store():
        delta = DeltaTable(table.url, version=table.version, storage_options=dict(storage_options))
        actions = delta.get_add_actions(flatten=True)
    columns = [actions.column(name).to_pylist() for name in ("path", "size_bytes")]
    partitions = (
        actions.column("partition.day").to_pylist() if table.partitioned else [None] * len(columns[0])
    )
    found = sorted(zip(partitions, *columns, strict=True), key=lambda file: (_day_order(file[0]), file[1]))
    return [LakeFile(unquote(path), size) for _, path, size in found]


def _day_order(day: date | None) -> tuple[bool, date]:
    return day is None, day or date.min
