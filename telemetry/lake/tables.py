"""Which tables the lake has. Their columns are those of the database's tables, in their order.

Surrogate keys stay out: they change when a row is made anew, and mean nothing outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.db import models

from telemetry.models import (
    UsageComponentDaily,
    UsageDaily,
    UsageEvent,
    UsageMessage,
    UsagePluginDaily,
    UsagePluginWindow,
    UsageSessionSummary,
    UsageToolDaily,
    UsageUserDaily,
)

# Raise it whenever a table or column changes: a lake of another number is built anew.
SCHEMA = 1
PARTITION = "day"


class Kind(StrEnum):
    """What a column holds, as DuckDB names it."""

    TEXT = "VARCHAR"
    INTEGER = "BIGINT"
    BOOLEAN = "BOOLEAN"
    DECIMAL = "DECIMAL(15,3)"
    DATE = "DATE"
    # In UTC.
    MOMENT = "TIMESTAMPTZ"


_KINDS: "dict[type[models.Field[object, object]], Kind]" = {
    models.UUIDField: Kind.TEXT,
    models.CharField: Kind.TEXT,
    models.IntegerField: Kind.INTEGER,
    models.ForeignKey: Kind.INTEGER,
    models.BooleanField: Kind.BOOLEAN,
    models.DecimalField: Kind.DECIMAL,
    models.DateTimeField: Kind.MOMENT,
    models.DateField: Kind.DATE,
}


@dataclass(frozen=True)
class LakeTable:
    """`moment` is the column whose UTC day is the partition, None where the table has no partitions.

    Rows in a file are sorted by `order`, so that reading day by day gives them in that order.
    """

    model: type[models.Model]
    moment: str | None
    order: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def has_time_in_id(self) -> bool:
        """Ids begin with the moment, so that a day is a range of ids (telemetry.models.UsageEvent)."""
        return isinstance(self.model._meta.pk, models.UUIDField)

    @cached_property
    def columns(self) -> dict[str, Kind]:
        return dict(_columns(self.model))


def _columns(model: type[models.Model]) -> Iterator[tuple[str, Kind]]:
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.AutoField | models.BigAutoField):
            yield str(field.column), _kind(field)


def _kind(field: "models.Field[object, object]") -> Kind:
    return next(kind for kind_of_field, kind in _KINDS.items() if isinstance(field, kind_of_field))


WINDOWS = LakeTable(UsagePluginWindow, None, ("period", "source", "ref_id"))
EXTRACTED = (
    LakeTable(UsageEvent, "occurred_at", ("occurred_at", "id")),
    LakeTable(UsageMessage, "occurred_at", ("occurred_at", "id")),
    LakeTable(UsageSessionSummary, "started_at", ("started_at", "session_file")),
)
ROLLED_UP = (
    LakeTable(UsageToolDaily, "day", ("day", "tool_name", "source")),
    LakeTable(UsagePluginDaily, "day", ("day", "source", "ref_id")),
    LakeTable(UsageComponentDaily, "day", ("day", "source", "ref_id", "component_kind", "component_name")),
    LakeTable(UsageDaily, "day", ("day",)),
    LakeTable(UsageUserDaily, "day", ("day", "user_id", "tool_name", "source", "ref_id")),
)
TABLES = (*EXTRACTED, *ROLLED_UP, WINDOWS)
