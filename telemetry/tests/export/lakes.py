"""A lake with the rows that a test wants, as the publisher would leave it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from deltalake import DeltaTable
from django.conf import settings

from telemetry.export.datasets import Dataset
from telemetry.lake.tables import SCHEMA, TABLES, Kind, LakeTable
from telemetry.models import LakeSnapshot, PublishingState
from telemetry.tests.lake import small_lakes

Row = Mapping[str, Any]
AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
DEFAULTS: dict[Kind, Any] = {
    Kind.TEXT: "x",
    Kind.INTEGER: 0,
    Kind.BOOLEAN: False,
    Kind.DECIMAL: 1,
    Kind.MOMENT: AS_OF,
    Kind.DATE: AS_OF.date(),
}


def build(rows: Mapping[Dataset, Iterable[Row]]) -> None:
    """All tables, those that are not named empty; nothing is dirty."""
    write_files(rows)
    note_versions()


def write_files(rows: Mapping[Dataset, Iterable[Row]]) -> None:
    """At LAKE_URL, for whoever then notes their versions."""
    by_table = {dataset.table.name: of for dataset, of in rows.items()}
    for table in TABLES:
        small_lakes.create(settings.LAKE_URL, table)
        for day, of_day in _by_day(table, by_table.get(table.name, ())).items():
            small_lakes.write(settings.LAKE_URL, table, of_day, day)


def note_versions() -> None:
    """What lies in the folder now is what was published."""
    versions = {table.name: DeltaTable(f"{settings.LAKE_URL}/{table.name}").version() for table in TABLES}
    LakeSnapshot.objects.update_or_create(
        pk=1, defaults={"versions": versions, "schema": SCHEMA, "is_complete": True}
    )
    PublishingState.objects.update_or_create(pk=1, defaults={"as_of": AS_OF, "windows_day": _today()})


def _by_day(table: LakeTable, rows: Iterable[Row]) -> dict[date | None, list[dict[str, Any]]]:
    days: dict[date | None, list[dict[str, Any]]] = {}
    for row in rows:
        full = {**_defaults(table), **row}
        assert table.moment is not None
        moment = full[table.moment]
        days.setdefault(moment.date() if isinstance(moment, datetime) else moment, []).append(full)
    return {day: _sorted(table, of_day) for day, of_day in days.items()}


def _sorted(table: LakeTable, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [(row[column] is None, row[column]) for column in table.order])


def _defaults(table: LakeTable) -> dict[str, Any]:
    return {name: DEFAULTS[kind] for name, kind in table.columns.items()}


def _today() -> date:
    return datetime.now(UTC).date()
