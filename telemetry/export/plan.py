"""What the child process is told: plain data, and the SQL that it makes. Knows no Django."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from accounts.spreadsheets import FORMULA_BEGINNINGS
from telemetry.export.formats import Format
from telemetry.lake.door import quoted
from telemetry.lake.snapshot import Snapshot, TableSnapshot

TEXT = "VARCHAR"


@dataclass(frozen=True)
class Plan:
    """The rows of the snapshot's only table that meet `conditions`, whose `?` stand for `values`.

    `columns` are some of the table's, in its order, and `limit` is of the first rows; empty and None for all.
    `spill` is a folder for what does not fit in memory. `is_frugal` takes less of it, and more time.
    """

    snapshot: Snapshot
    conditions: Sequence[str]
    values: Sequence[str | int]
    format: Format
    spreadsheet_safe: bool
    spill: str
    is_frugal: bool = False
    columns: Sequence[str] = ()
    limit: int | None = None

    @property
    def count_query(self) -> str:
        return f"SELECT count(*) FROM (SELECT 1 FROM {self._rows})"

    def copy_statement(self, path: str) -> str:
        """No ORDER BY: the table comes in its order, and filters keep it."""
        wanted = self.columns or self._table.columns
        kinds = self._table.columns
        columns = ", ".join(self._column(name, kinds[name]) for name in kinds if name in wanted)
        return f"COPY (SELECT {columns} FROM {self._rows}) TO '{path}' ({self.format.copy_options})"

    @property
    def _table(self) -> TableSnapshot:
        [table] = self.snapshot.tables
        return table

    @property
    def _rows(self) -> str:
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        limit = "" if self.limit is None else f" LIMIT {self.limit:d}"
        return f"{quoted(self._table.name)}{where}{limit}"

    def _column(self, name: str, kind: str) -> str:
        column = quoted(name)
        if not (self.spreadsheet_safe and kind == TEXT):
            return column
        # Not by IN: DuckDB makes a join of it, which does not keep the rows' order.
        is_formula = " OR ".join(f"starts_with({column}, chr({ord(first)}))" for first in FORMULA_BEGINNINGS)
        return f"CASE WHEN {is_formula} THEN '''' || {column} ELSE {column} END AS {column}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        values = json.loads(text)
        snapshot = Snapshot.from_dict(values.pop("snapshot"))
        return cls(snapshot=snapshot, format=Format(values.pop("format")), **values)
