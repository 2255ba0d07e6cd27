"""What is asked of sessions, one condition at a time.

One condition leads: the sessions that fit it are met along an index, in the order of time. The others are
tested at each of these, without an index: a database might take one that leads past many more sessions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan, Lookup

from telemetry.models import SessionTranscript, UsageSessionItem, UsageSessionSummary
from telemetry.sessions.filters import Item, SessionFilter

Rows = QuerySet[Any, Any]
# Lookups of a moment, such as `gte`; None bounds nothing.
Bounds = Mapping[str, datetime | None]
# A column, how it is compared, and with what.
Compared = tuple[str, "type[Lookup[Any]]", str | int]
MOMENTS = {SessionTranscript: "listed_at", UsageSessionSummary: "started_at", UsageSessionItem: "listed_at"}


@dataclass(frozen=True)
class Condition:
    """`met` are rows with the moments of the sessions that fit: an index has them in that order. `lead` finds
    these sessions within bounds along an index, in the order of time if it `is_in_order`. `test` is for those
    that another condition leads to."""

    met: Rows
    lead: Callable[[Bounds], Any]
    test: Any
    is_in_order: bool = True


def all_sessions(filter: SessionFilter) -> Rows:
    """Main transcripts, or summaries of such, where only what was extracted can tell."""
    if filter.is_of_summary:
        # A place in the order needs a time.
        return UsageSessionSummary.objects.filter(agent_id="", started_at__isnull=False)
    return SessionTranscript.objects.filter(agent_id="")


def conditions_of(filter: SessionFilter) -> list[Condition]:
    """The person comes first."""
    rows = all_sessions(filter)
    found: list[Condition] = []
    person: list[Compared] = [(whose(rows), Exact, filter.user_id)] if filter.user_id is not None else []
    if filter.has_errors:
        found.append(_of_row(rows, *person, ("tool_errors", GreaterThan, 0)))
    elif filter.user_id is not None:
        # There the index has no subagents.
        met = SessionTranscript.objects.filter(agent_id="", owner_id=filter.user_id)
        found.append(_of_row(rows, *person, met=met))
    if filter.item:
        found.append(_of_item(filter.item))
    if filter.project:
        found.append(_of_row(rows, ("cwd", Exact, filter.project)))
    if filter.model:
        found.append(_of_row(rows, ("primary_model", Exact, filter.model)))
    return found


def _of_row(rows: Rows, *compared: Compared, met: Rows | None = None) -> Condition:
    lead, test = Q(), Q()
    for column, lookup, value in compared:
        lead &= Q(lookup(F(column), value))
        test &= Q(lookup(Coalesce(column, Value(type(value)())), value))
    return Condition(rows.filter(lead) if met is None else met, lambda bounds: lead, test)


def _of_item(item: Item) -> Condition:
    used = UsageSessionItem.objects.filter(source=item.source, ref_id=item.ref_id)
    return Condition(
        used,
        lambda bounds: Q(session_file__in=within(used, bounds).values("main_file")),
        Exists(used.filter(main_file=OuterRef("session_file"))),
        is_in_order=False,
    )


def within(rows: Rows, bounds: Bounds) -> Rows:
    moment = moment_of(rows)
    return rows.filter(**{f"{moment}__{lookup}": at for lookup, at in bounds.items() if at})


def moment_of(rows: Rows) -> str:
    return MOMENTS[rows.model]


def whose(rows: Rows) -> str:
    return "owner_id" if rows.model is SessionTranscript else "user_id"
