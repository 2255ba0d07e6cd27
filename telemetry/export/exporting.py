"""One export: from filters to bytes."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from telemetry.errors import LakeChanged
from telemetry.export.filters import Filters
from telemetry.export.freshness import publish_if_quick
from telemetry.export.moments import first_day_from
from telemetry.export.plan import Plan
from telemetry.export.process import ExportProcess
from telemetry.lake.door import quoted
from telemetry.lake.reading import check_damage, current_snapshot
from telemetry.lake.snapshot import Snapshot

ACTION = "usage.export"


def start_export(filters: Filters, *, actor: User | None) -> "Export":
    """Its audit row is written when this returns; close it, whatever happens.

    Raises LakeNotBuilt, LakeChanged, LakeUnavailable and ExportFailed.
    """
    process = ExportProcess()
    try:
        publish_if_quick()
        snapshot = current_snapshot()
        rows = _begin(process, _plan(filters, snapshot, str(process.spill)))
        params = {**filters.params, "rows": rows}
        audit.record(ACTION, actor=actor, params=params)
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


class Export:
    """The bytes, in pieces of at most a megabyte. Iterating raises ExportFailed or LakeChanged where not
    all came.

    `as_of`: what was committed before it is in. ISO 8601, None where that is not known.
    """

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
        self.bytes = 0
        self._process = process
        self._params = params
        self._actor = actor
        # The stream may end after the request has.
        self._context = audit.current()
        self._is_open = True
        self._result = "not read to its end"

    @property
    def is_complete(self) -> bool:
        """Whether all bytes were read."""
        return self._result == "ok"

    def __iter__(self) -> Iterator[bytes]:
        try:
            while chunk := self._process.read():
                self.bytes += len(chunk)
                yield chunk
        except AgnesError as error:
            self._result = error.code
            raise
        self._result = "ok"

    def close(self) -> None:
        """Ends the other process at once; a second audit row says so where not everything was read."""
        if not self._is_open:
            return
        self._is_open = False
        self._process.close()
        if not self.is_complete:
            then = self._context
            with audit.context(then.client_kind, actor=self._actor, request_id=then.request_id):
                audit.record(ACTION, params={**self._params, "bytes": self.bytes}, result=self._result)


def _plan(filters: Filters, snapshot: Snapshot, spill: str) -> Plan:
    conditions = list(_conditions(filters))
    return Plan(
        snapshot=snapshot.only(filters.dataset.table.name),
        conditions=[f"{quoted(column)} {comparison}" for column, comparison, _ in conditions],
        values=[value for *_, value in conditions],
        format=filters.format,
        spreadsheet_safe=filters.spreadsheet_safe,
        spill=spill,
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


def _bound(bound: datetime, operator: str, *, by_day: bool) -> tuple[str, str]:
    if not by_day:
        return f"{operator} CAST(? AS TIMESTAMPTZ)", bound.isoformat()
    # A day counts where its start does. After the last day of the calendar there is none.
    with suppress(OverflowError):
        return f"{operator} CAST(? AS DATE)", first_day_from(bound).isoformat()
    return f"{operator} CAST(? AS DATE)", "infinity"
