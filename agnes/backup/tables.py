"""Which tables a backup holds, and what their columns are.

A model that is added is in it without further ado; what is left out is named here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from django.apps import apps
from django.db import models

# Of one moment or one machine: who is signed in, what is under way, where the lake of this installation is.
LEFT_OUT = {
    "django_q.OrmQ",
    "django_q.Task",
    "marketplace.MarketplaceSyncLease",
    "sessions.Session",
    "telemetry.LakeSnapshot",
    "telemetry.ProcessingWakeup",
    "telemetry.PublishingLease",
    "telemetry.SessionProcessorClaim",
    "telemetry.WorkerHeartbeat",
}


class Kind(StrEnum):
    """How a value is written: as JSON has it, moments in UTC and ISO 8601, bytes in base64."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    DATE = "date"
    MOMENT = "moment"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"


KINDS: "dict[type[models.Field[Any, Any]], Kind]" = {
    models.DateTimeField: Kind.MOMENT,
    models.DateField: Kind.DATE,
    models.UUIDField: Kind.UUID,
    models.JSONField: Kind.JSON,
    models.BinaryField: Kind.BYTES,
    models.BooleanField: Kind.BOOLEAN,
    models.DecimalField: Kind.DECIMAL,
    models.FloatField: Kind.NUMBER,
    models.IntegerField: Kind.INTEGER,
    models.CharField: Kind.TEXT,
    models.TextField: Kind.TEXT,
}


class Column(msgspec.Struct, array_like=True, frozen=True):
    name: str
    kind: Kind
    nullable: bool


class Header(msgspec.Struct):
    """The first line of a chunk."""

    table: str
    columns: list[Column]


@dataclass(frozen=True)
class Table:
    model: type[models.Model]
    fields: tuple[str, ...]
    header: Header

    @property
    def name(self) -> str:
        return self.header.table

    @property
    def is_wide(self) -> bool:
        return any(
            isinstance(field, models.TextField | models.JSONField | models.BinaryField)
            for field in self.model._meta.concrete_fields
        )


@cache
def dumped_tables() -> tuple[Table, ...]:
    """In the order of their names."""
    chosen = [model for model in _stored_models() if model._meta.label not in LEFT_OUT]
    return tuple(sorted(map(_table, chosen), key=lambda table: table.name))


@cache
def all_table_names() -> tuple[str, ...]:
    """Those that a restore empties: what is left out goes as well, since it tells of what was there."""
    return tuple(sorted(model._meta.db_table for model in _stored_models()))


def _stored_models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def _table(model: type[models.Model]) -> Table:
    fields = model._meta.concrete_fields
    columns = [Column(str(field.column), kind_of(field), bool(field.null)) for field in fields]
    return Table(model, tuple(field.attname for field in fields), Header(model._meta.db_table, columns))


def kind_of(field: "models.Field[Any, Any]") -> Kind:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    for known, kind in KINDS.items():
        if isinstance(field, known):
            return kind
    raise NotImplementedError(f"A backup knows no columns such as {field.model._meta.label}.{field.name}.")
