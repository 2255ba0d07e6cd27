"""Rows of the database as Arrow batches: streamed, in the order in which they stand in the lake."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
from django.db import connection

from telemetry.days import DayRange
from telemetry.lake.tables import PARTITION, Kind, LakeTable

# So many rows are Python objects at a time.
ROWS_AT_ONCE = 2000
# Rows that have no time share the beginning of their ids with this day.
EPOCH = date(1970, 1, 1)
# The default one keeps for itself what it was given back.
pa.set_memory_pool(pa.system_memory_pool())

_ARROW = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DECIMAL: pa.decimal128(15, 3),
    Kind.DATE: pa.date32(),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
}
# Each column is selected as a text or a number, which Arrow turns into what it is: no Python object for a
# moment, and no way in which the two databases could differ.
_SELECTED = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.int8(),
    Kind.DECIMAL: pa.string(),
    Kind.DATE: pa.string(),
    Kind.MOMENT: pa.string(),
}
_SQLITE = {
    Kind.INTEGER: "{0}",
    Kind.BOOLEAN: "CAST({0} AS integer)",
    Kind.DECIMAL: "CASE WHEN {0} IS NOT NULL THEN printf('%%.3f', {0}) END",
    Kind.DATE: "CAST({0} AS text)",
    Kind.MOMENT: "CAST({0} AS text)",
}
_POSTGRESQL = {
    Kind.INTEGER: "{0}",
    Kind.BOOLEAN: "{0}::int",
    Kind.DECIMAL: "{0}::text",
    Kind.DATE: "{0}::text",
    Kind.MOMENT: "({0} AT TIME ZONE 'UTC')::text",
}


def table_schema(table: LakeTable) -> pa.Schema:
    """What the lake says of the table, its partition included."""
    columns = {**table.columns, **({PARTITION: Kind.DATE} if table.moment else {})}
    return pa.schema([pa.field(name, _ARROW[kind]) for name, kind in columns.items()])


def file_schema(table: LakeTable) -> pa.Schema:
    """What a file holds: the day stands in its path."""
    return pa.schema([pa.field(name, _ARROW[kind]) for name, kind in _columns_of_files(table).items()])


def batches(table: LakeTable, day: date | None) -> Iterator[pa.RecordBatch]:
    """The rows of a day, or those without a time; all rows of a table without partitions."""
    schema = file_schema(table)
    kinds = list(_columns_of_files(table).values())
    condition, values = _condition(table, day)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_select(table, condition), values)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            columns = zip(*rows, strict=True)
            arrays = [_array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: tuple[object, ...], kind: Kind) -> pa.Array:
    array = pa.array(values, _SELECTED[kind])
    if kind is Kind.MOMENT:
        # Without a zone first: the texts have none, and are in UTC.
        array = array.cast(pa.timestamp("us"))
    return array.cast(_ARROW[kind])


def _columns_of_files(table: LakeTable) -> dict[str, Kind]:
    return {name: kind for name, kind in table.columns.items() if not (table.moment and name == PARTITION)}


def _select(table: LakeTable, condition: str) -> str:
    columns = (_expression(table, name, kind) for name, kind in _columns_of_files(table).items())
    order = ", ".join(_order(table))
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE {condition} ORDER BY {order}"


def _expression(table: LakeTable, column: str, kind: Kind) -> str:
    sqlite = connection.vendor == "sqlite"
    if kind is Kind.TEXT:
        return _text(table, column, sqlite)
    return (_SQLITE if sqlite else _POSTGRESQL)[kind].format(column)


def _text(table: LakeTable, column: str, sqlite: bool) -> str:
    if not (table.has_time_in_id and column == "id"):
        return column
    if not sqlite:
        return f"{column}::text"
    # 32 hex digits, as the canonical text of a UUID.
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in parts)


def _order(table: LakeTable) -> Iterator[str]:
    for name in table.order:
        # Texts by their bytes, whatever the database's language; a UUID has no language.
        is_text = table.columns[name] is Kind.TEXT and not (table.has_time_in_id and name == "id")
        collation = ' COLLATE "C"' if is_text and connection.vendor == "postgresql" else ""
        # With the table's name it is the column, not what is selected under its name.
        yield f"{table.name}.{name}{collation}"


def _condition(table: LakeTable, day: date | None) -> tuple[str, tuple[str, ...]]:
    if table.moment is None:
        return "1 = 1", ()
    if table.has_time_in_id:
        known = "IS NULL" if day is None else "IS NOT NULL"
        range_ = DayRange(day or EPOCH, day or EPOCH)
        return f"id >= %s AND id < %s AND {table.moment} {known}", range_.ids
    if day is None:
        return f"{table.moment} IS NULL", ()
    if table.moment == PARTITION:
        return f"{PARTITION} = %s", (str(day),)
    return f"{table.moment} BETWEEN %s AND %s", DayRange(day, day).moments
