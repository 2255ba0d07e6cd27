"""Which files one version of a table consists of. Knows no Django."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from telemetry.errors import LakeChanged, LakeUnavailable
from telemetry.lake.snapshot import TableSnapshot

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_REASON_LENGTH = 300


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


@contextmanager
def reading_the_store() -> Iterator[None]:
    """Raises LakeChanged where something is gone, LakeUnavailable where the store gives no answer."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, FileNotFoundError) as error:
        raise LakeChanged from error
    except OSError as error:
        raise LakeUnavailable(reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """What the store's library says, on one line."""
    plain = " ".join(_COLOURS.sub("", str(error)).replace("↳", "").split())
    return plain[:_REASON_LENGTH]


def _day_order(day: date | None) -> tuple[bool, date]:
    return day is None, day or date.min
