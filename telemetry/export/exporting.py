"""One export: from filters to bytes."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from accounts.models import User
from accounts.streaming import AuditedStream
from telemetry.errors import LakeChanged
from telemetry.export.filters import Filters
from telemetry.export.freshness import publish_if_quick
from telemetry.export.moments import first_day_from
from telemetry.export.plan import Plan
from telemetry.export.process import ExportProcess
from telemetry.lake.door import quoted
from telemetry.lake.reading import check_damage, current_snapshot
from telemetry.lake.snapshot import Snapshot


def fresh_snapshot() -> Snapshot:
    """Of what is there now, as far as that is quick. Raises LakeNotBuilt."""
    publish_if_quick()
    return current_snapshot()


def start_export(filters: Filters, *, actor: User | None, snapshot: Snapshot | None = None) -> "Export":
    """Its audit row is written when this returns; close it, whatever happens.

    Raises LakeNotBuilt, LakeChanged, LakeUnavailable and ExportFailed.
    """
    process = ExportProcess()
    try:
        snapshot = snapshot or fresh_snapshot()
        rows = _begin(process, _plan(filters, snapshot, str(process.spill)))
        params = {**filters.params, "rows": rows}
        return Export(process, params, rows=rows, as_of=snapshot.as_of, actor=actor)
    except BaseException:
        process.close()
        raise


def _begin(process: ExportProcess, plan: Plan) -> int:
    try:
        return process.begin(plan)
    except LakeChanged as error:
        check_damage(plan.snapshot, error)
        raise


class Export(AuditedStream):
    """The bytes, in small pieces. Iterating raises ExportFailed or LakeChanged where not
    all came.

    `as_of`: what was committed before it is in. ISO 8601, None where that is not known.
    """

    action = "usage.export"

    def __init__(
        self,
        process: ExportProcess,
        params: Mapping[str, Any],
        *,
        rows: int,
        as_of: str | None,
        actor: User | None,
    ) -> None:
        self.rows = rows
        self.as_of = as_of
        self._process = process
        super().__init__(params=params, actor=actor)

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._process.read():
            yield chunk

    def _release(self) -> None:
        self._process.close()


def _plan(filters: Filters, snapshot: Snapshot, spill: str) -> Plan:
    conditions = list(_conditions(filters))
    return Plan(
        snapshot=snapshot.only(filters.dataset.table.name),
        conditions=[f"{quoted(column)} {comparison}" for column, comparison, _ in conditions],
        values=[value for *_, value in conditions],
        format=filters.format,
        spreadsheet_safe=filters.spreadsheet_safe,
        spill=spill,
        columns=filters.columns,
        limit=filters.limit,
    )


def _conditions(filters: Filters) -> Iterator[tuple[str, str, str | int]]:
    """A column, its comparison, and the value of that."""
    moment = filters.dataset.moment
    for bound, operator in ((filters.since, ">="), (filters.until, "<")):
        if bound is not None:
            yield (moment, *_bound(bound, operator, by_day=filters.dataset.is_by_day))
    if filters.user_id is not None:
        yield "user_id", "= ?", filters.user_id
    if filters.source is not None:
        yield "source", "= ?", filters.source
    if filters.tool is not None:
        yield "tool_name", "= ?", filters.tool


def _bound(bound: datetime, operator: str, *, by_day: bool) -> tuple[str, str]:
    if not by_day:
        return f"{operator} CAST(? AS TIMESTAMPTZ)", bound.isoformat()
    # A day counts where its start does. After the last day of the calendar there is none.
    with suppress(OverflowError):
        return f"{operator} CAST(? AS DATE)", first_day_from(bound).isoformat()
    return f"{operator} CAST(? AS DATE)", "infinity"
