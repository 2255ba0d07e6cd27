"""What the child process is told: plain data, and the SQL that it makes. Knows no Django."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from telemetry.export.formats import Format
from telemetry.lake.door import quoted
from telemetry.lake.snapshot import Snapshot, TableSnapshot

# A spreadsheet takes a cell that begins so for a formula; the last two are tab and carriage return.
FORMULA_BEGINNINGS = ("'='", "'+'", "'-'", "'@'", "chr(9)", "chr(13)")
TEXT = "VARCHAR"


@dataclass(frozen=True)
class Plan:
    """The rows of the snapshot's only table that meet `conditions`, whose `?` stand for `values`.

    `spill` is a folder for what does not fit in memory. `is_frugal` takes less of it, and more time.
    """

    snapshot: Snapshot
    conditions: Sequence[str]
    values: Sequence[str | int]
    format: Format
    spreadsheet_safe: bool
    spill: str
    is_frugal: bool = False

    @property
    def count_query(self) -> str:
        return f"SELECT count(*) FROM {self._rows}"

    def copy_statement(self, path: str) -> str:
        """No ORDER BY: the table comes in its order, and filters keep it."""
        columns = ", ".join(self._column(name, kind) for name, kind in self._table.columns.items())
        return f"COPY (SELECT {columns} FROM {self._rows}) TO '{path}' ({self.format.copy_options})"

    @property
    def _table(self) -> TableSnapshot:
        [table] = self.snapshot.tables
        return table

    @property
    def _rows(self) -> str:
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return f"{quoted(self._table.name)}{where}"

    def _column(self, name: str, kind: str) -> str:
        column = quoted(name)
        if not (self.spreadsheet_safe and kind == TEXT):
            return column
        # Not by IN: DuckDB makes a join of it, which does not keep the rows' order.
        is_formula = " OR ".join(f"starts_with({column}, {beginning})" for beginning in FORMULA_BEGINNINGS)
        return f"CASE WHEN {is_formula} THEN '''' || {column} ELSE {column} END AS {column}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        values = json.loads(text)
        snapshot = Snapshot.from_dict(values.pop("snapshot"))
        return cls(snapshot=snapshot, format=Format(values.pop("format")), **values)
