"""What plugins bring: skills, commands, agents, hooks, servers, …"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.catalogue.exploding import TABLES
from marketplace.catalogue.storable import json_value, text
from marketplace.models import Component, Plugin
from marketplace.models.lengths import NAME_LENGTH
from marketplace.plugins import limits
from marketplace.plugins.exploding import rows_of_plugin
from marketplace.plugins.records import PluginRecord
from telemetry.database.bulk import Row, insert_rows

FIELDS = ("name", "identifiers", "path", "description", "details", "position", "valid_to")
ROWS_AT_ONCE = 500


@dataclass
class _Changes:
    new: list[Component] = field(default_factory=list)
    changed: list[Component] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def replace_components(records: Iterable[tuple[Plugin, PluginRecord | None]], now: datetime) -> None:
    """Store what these plugins bring; None for a plugin that left the catalogue.

    What transcripts name stays when it vanishes, with `valid_to`; anything else is removed.
    """
    pairs = list(records)
    stored = _stored([plugin.pk for plugin, _ in pairs])
    changes = _Changes()
    for plugin, record in pairs:
        wanted = list(components_of(plugin, record)) if record else []
        _compare(stored.get(plugin.pk, []), wanted, changes, now)
    _write(changes)


def _write(changes: _Changes) -> None:
    for start in range(0, len(changes.gone), ROWS_AT_ONCE):
        Component.objects.filter(pk__in=changes.gone[start : start + ROWS_AT_ONCE]).delete()
    Component.objects.bulk_update(changes.changed, FIELDS, batch_size=ROWS_AT_ONCE)
    # There are many of them, and the model layer takes longer than the database.
    insert_rows(Component, ("plugin_id", "kind", "canonical_id", *FIELDS), map(_row, changes.new))


def _row(component: Component) -> Row:
    values = (getattr(component, name) for name in FIELDS)
    described = (json.dumps(value) if isinstance(value, dict | list) else value for value in values)
    return (component.plugin_id, component.kind, component.canonical_id, *described)


def _stored(plugins: list[int]) -> dict[int, list[Component]]:
    stored: dict[int, list[Component]] = defaultdict(list)
    for start in range(0, len(plugins), ROWS_AT_ONCE):
        some = plugins[start : start + ROWS_AT_ONCE]
        for component in Component.objects.filter(plugin__in=some).order_by("pk"):
            stored[component.plugin_id].append(component)
    return stored


def _compare(stored: list[Component], wanted: list[Component], changes: _Changes, now: datetime) -> None:
    named: dict[tuple[str, str | None], Component] = {
        (one.kind, one.canonical_id): one for one in stored if one.canonical_id
    }
    unnamed = [one for one in stored if not one.canonical_id]
    for component in wanted:
        known = named.pop((component.kind, component.canonical_id), None)
        if known is None and component.canonical_id:
            changes.new.append(component)
        elif known is not None and _take_over(known, component):
            changes.changed.append(known)
    for vanished in named.values():
        if vanished.valid_to is None:
            vanished.valid_to = now
            changes.changed.append(vanished)
    nameless = [one for one in wanted if not one.canonical_id]
    if [_values(one) for one in unnamed] != [_values(one) for one in nameless]:
        changes.gone += [one.pk for one in unnamed]
        changes.new += nameless


def _take_over(known: Component, component: Component) -> bool:
    """Whether anything changed."""
    if _values(known) == _values(component):
        return False
    for name in FIELDS:
        setattr(known, name, getattr(component, name))
    return True


def _values(component: Component) -> list[Any]:
    return [component.kind, *(getattr(component, name) for name in FIELDS)]


def components_of(plugin: Plugin, record: PluginRecord) -> Iterator[Component]:
    """Not stored yet. Of several with one kind and id the first has it; the others are shown only."""
    identifiers: dict[int, list[list[Any]]] = defaultdict(list)
    for row in rows_of_plugin(record):
        identifiers[row.component].append([TABLES[row.kind], int(row.form), row.value])
    taken: set[tuple[str, str]] = set()
    for position, component in enumerate(record.components or ()):
        canonical = component.identifiers.canonical[:NAME_LENGTH] if component.identifiers else None
        if canonical and (component.kind, canonical) in taken:
            canonical = None
        elif canonical:
            taken.add((component.kind, canonical))
        yield Component(
            plugin=plugin,
            kind=str(component.kind),
            name=text(component.name, NAME_LENGTH),
            canonical_id=canonical and text(canonical, NAME_LENGTH),
            identifiers=json_value(identifiers[position]) if canonical else [],
            path=text(component.path, limits.PATH_LENGTH),
            description=text(component.description, limits.DESCRIPTION_CHARACTERS),
            details=json_value(component.details),
            position=position,
        )
