"""Data sets as somebody may see them: rows of their own, or of everybody."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

from accounts.models import User
from telemetry.errors import DatasetUnknown
from telemetry.export.datasets import Dataset
from telemetry.export.filters import Filters, read_part
from telemetry.lake.snapshot import Snapshot
from telemetry.lake.tables import SCHEMA


@dataclass(frozen=True)
class Reader:
    """`sees_all`: rows of everybody, not only their own."""

    user: User
    sees_all: bool

    def datasets(self) -> list[Dataset]:
        """What adds people up is for those who see all."""
        return [it for it in Dataset if self.sees_all or it.has_people]

    def part(self, name: str, values: Mapping[str, str]) -> Filters:
        """Raises DatasetUnknown, WrongFilter."""
        found = next((it for it in self.datasets() if name in (it.value, it.table.name)), None)
        if found is None:
            raise DatasetUnknown(name)
        filters = read_part(values, found)
        return filters if self.sees_all else replace(filters, user_id=self.user.pk)


def etag_of(filters: Filters, snapshot: Snapshot) -> str:
    """The same for the same bytes: those of these rows, written by this version of DuckDB. Another publish
    gives another one, also where the lake was built anew and its versions begin again."""
    [table] = snapshot.only(filters.dataset.table.name).tables
    told = [filters.params, table.version, snapshot.as_of, snapshot.purged_at, SCHEMA, version("duckdb")]
    return f'"{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}"'
