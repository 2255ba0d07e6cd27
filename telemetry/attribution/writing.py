"""The marketplaces tell here which identifiers belong to which item."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple, TypeVar

from django.db import connection, transaction

from telemetry.attribution.lookup import AGENTS, COMMANDS, MCP_SERVERS, SKILLS
from telemetry.database.bulk import insert_rows
from telemetry.models import (
    AgentAttribution,
    Attribution,
    CommandAttribution,
    McpServerAttribution,
    SkillAttribution,
)

MODELS: dict[str, type[Attribution]] = {
    SKILLS: SkillAttribution,
    COMMANDS: CommandAttribution,
    AGENTS: AgentAttribution,
    MCP_SERVERS: McpServerAttribution,
}
IDS_AT_ONCE = 5_000
T = TypeVar("T")


class Key(NamedTuple):
    ref_id: str
    identifier: str


class Belonging(NamedTuple):
    """What an identifier stands for; kind and name are '' where it names the item as a whole."""

    component_kind: str = ""
    canonical_name: str = ""
    valid_to: datetime | None = None

    @property
    def component(self) -> tuple[str, str]:
        return self.component_kind, self.canonical_name


# For each table (as in telemetry.attribution.lookup) what it shall hold.
Belongings = Mapping[str, Mapping[Key, Belonging]]


@transaction.atomic
def replace_attribution(source: str, wanted: Belongings) -> set[str]:
    """Make the tables hold exactly this of a source; rows that are right already are not touched.

    Returns the identifiers that may mean something else now, for telemetry.attribution.reattribution.
    """
    changed: set[str] = set()
    ended_or_back: set[str] = set()
    for table, model in MODELS.items():
        stored, desired = _stored(model, source), wanted.get(table, {})
        different = {
            key for key in stored.keys() | desired.keys() if stored.get(key, (0, None))[1] != desired.get(key)
        }
        _delete(model, [stored[key][0] for key in different if key in stored])
        _insert(model, source, {key: desired[key] for key in different if key in desired})
        for key in different:
            _, old = stored.get(key, (0, None))
            new = desired.get(key)
            same_component = old and new and old.component == new.component
            (ended_or_back if same_component else changed).add(key.identifier)
    return changed | _shared(ended_or_back - changed)


def _stored(model: type[Attribution], source: str) -> dict[Key, tuple[int, Belonging]]:
    rows = model._default_manager.filter(source=source).values_list(
        "pk", "ref_id", "identifier", "component_kind", "canonical_name", "valid_to"
    )
    return {
        Key(ref_id, identifier): (pk, Belonging(kind, name, valid_to))
        for pk, ref_id, identifier, kind, name, valid_to in rows.iterator()
    }


def _delete(model: type[Attribution], ids: list[int]) -> None:
    for some in _cut(ids):
        model._default_manager.filter(pk__in=some).delete()


def _insert(model: type[Attribution], source: str, rows: Mapping[Key, Belonging]) -> None:
    columns = ("source", *Key._fields, *Belonging._fields)
    moment = connection.ops.adapt_datetimefield_value
    insert_rows(
        model,
        columns,
        (
            (source, *key, *belonging.component, moment(belonging.valid_to))
            for key, belonging in sorted(rows.items(), key=itemgetter(0))
        ),
    )


def _shared(identifiers: Collection[str]) -> set[str]:
    """Those that several rows have: whether one of them is current decides between them."""
    rows: Counter[str] = Counter()
    for some in _cut(sorted(identifiers)):
        for model in MODELS.values():
            rows.update(
                model._default_manager.filter(identifier__in=some).values_list("identifier", flat=True)
            )
    return {identifier for identifier, count in rows.items() if count > 1}


def _cut(values: list[T]) -> Iterator[list[T]]:
    return (values[start : start + IDS_AT_ONCE] for start in range(0, len(values), IDS_AT_ONCE))
