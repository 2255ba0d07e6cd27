"""The filtered audit log as CSV, streamed: a table that a spreadsheet opens without running anything."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from accounts import activity
from accounts.activity import Filters
from accounts.models import AuditLog, User
from accounts.spreadsheets import csv_text
from accounts.streaming import AuditedStream

COLUMNS = ("at", "actor", "actor_email", "action", "target", "result", "client_kind", "request_id", "params")
BATCH = 2_000


class ActivityExport(AuditedStream):
    """The rows that there were when it began, newest first; its own audit row is not among them."""

    action = "audit.export"

    def __init__(self, filters: Filters, *, actor: User) -> None:
        rows = activity.find(filters)
        newest = AuditLog.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self._rows = rows.filter(pk__lte=newest)
        super().__init__(params={**filters.params, "rows": self._rows.count()}, actor=actor)

    def _chunks(self) -> Iterator[bytes]:
        yield csv_text([COLUMNS]).encode()
        for batch in self._batches():
            names = activity.names_in(batch)
            yield csv_text(_cells(row, names) for row in batch).encode()

    def _batches(self) -> Iterator[list[AuditLog]]:
        """Each a query of its own, so that no transaction lasts as long as a slow reader."""
        batch = list(self._rows[:BATCH])
        while batch:
            yield batch
            batch = list(activity.older_than(self._rows, batch[-1].pk)[:BATCH])


def _cells(row: AuditLog, names: dict[int, str]) -> list[Any]:
    return [
        row.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        row.actor,
        names.get(row.actor or 0, ""),
        row.action,
        row.target,
        row.result,
        row.client_kind,
        row.request_id,
        json.dumps(row.params, ensure_ascii=False) if row.params else "",
    ]
