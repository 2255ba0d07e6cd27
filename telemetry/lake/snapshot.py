"""The versions of the lake's tables that belong together, as plain data: it can be handed to a process that
knows no Django."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class TableSnapshot:
    """One table: `columns` are DuckDB types by name, in order."""

    name: str
    url: str
    version: int
    columns: Mapping[str, str]
    partitioned: bool


@dataclass(frozen=True)
class Snapshot:
    """`cache`: where copies of a remote lake's files go, None for a local lake. ISO 8601: `as_of`, and
    `purged_at`, when the last deletion for privacy was done."""

    tables: tuple[TableSnapshot, ...]
    # Not shown in logs: it may hold a key's secret.
    storage_options: Mapping[str, str] = field(repr=False)
    cache: str | None
    as_of: str | None
    purged_at: str | None = None

    def only(self, *names: str) -> "Snapshot":
        """Without the other tables: what is not opened costs nothing."""
        return replace(self, tables=tuple(table for table in self.tables if table.name in names))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Snapshot":
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Snapshot":
        """From what `dataclasses.asdict` made of it."""
        tables = tuple(TableSnapshot(**table) for table in values["tables"])
        return cls(**{**values, "tables": tables})
