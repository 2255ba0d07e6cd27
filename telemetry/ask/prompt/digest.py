"""The views as a model is told of them, from the lake's own tables."""

from telemetry.ask.prompt.notes import COLUMNS, VIEWS
from telemetry.lake.tables import TABLES, LakeTable


def digest() -> str:
    return "\n\n".join(_described(table) for table in TABLES if table.name in VIEWS)


def _described(table: LakeTable) -> str:
    notes = COLUMNS[table.name]
    columns = "\n".join(f"  {name} {kind}: {notes[name]}" for name, kind in table.columns.items())
    return f"{table.name}: {VIEWS[table.name]}\n{columns}"
