"""Which files one version of a table consists of. Knows no Django."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from telemetry.errors import LakeChanged
from telemetry.lake.snapshot import TableSnapshot

PARTITION_IN_LOG = "partition.day"


@dataclass(frozen=True)
class LakeFile:
    """`path` is relative to the table; `size` in bytes."""

    path: str
    size: int


def files_of(table: TableSnapshot, storage_options: Mapping[str, str]) -> list[LakeFile]:
    """In day order, without a day last, and in the table's order inside a day: read one after another they
    give the rows in its order. Raises LakeChanged where the version is gone."""
    actions = _actions(table, storage_options)
    actions.sort(key=lambda action: _sort_key(action, table.order))
    return [LakeFile(unquote(action["path"]), action["size_bytes"]) for action in actions]


def _actions(table: TableSnapshot, storage_options: Mapping[str, str]) -> list[dict[str, Any]]:
    # It takes a third of a second, and memory that only readers of the lake need.
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        delta = DeltaTable(table.url, version=table.version, storage_options=dict(storage_options))
    except DeltaError as error:
        raise LakeChanged from error
    found = delta.get_add_actions(flatten=True)
    columns = {name: found.column(name).to_pylist() for name in found.schema.names}
    return list(_rows(columns))


def _rows(columns: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _sort_key(action: Mapping[str, Any], order: Sequence[str]) -> tuple[tuple[bool, Any], ...]:
    """The smallest values of a file are those of its first row, as far as the log keeps them."""
    names = (PARTITION_IN_LOG, *(f"min.{column}" for column in order), "path")
    values = [action.get(name) for name in names]
    return tuple((value is None, value) for value in values)
