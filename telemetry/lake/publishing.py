"""What the publisher does to the lake. Importing this takes time and memory: only who publishes does."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from telemetry.database.transactions import one_snapshot
from telemetry.dirty_days import remove_marks
from telemetry.lake.opening import open_tables, versions_of
from telemetry.lake.tables import EXTRACTED, ROLLED_UP, WINDOWS, LakeTable
from telemetry.lake.together import together
from telemetry.lake.vacuuming import KEPT_HOURS, PAUSE, remove_copies, remove_old_files, shorten_log
from telemetry.lake.writing import Change
from telemetry.leases import Lease
from telemetry.models import LakeSnapshot
from telemetry.models.publishing import ROW


class PublishedLake:
    """The lake, open for its one publisher. Methods raise LakeUnavailable and ClaimLost.

    Call `write` in the transaction that reads what is published, `replace` and `replace_windows` in the one
    that replaces the roll-ups, and `note` at its end: readers see the new versions from its commit on.
    """

    def __init__(self, lease: Lease) -> None:
        self.tables = open_tables(lease)
        self._opened = versions_of(self.tables)
        self._written: dict[str, Change] = {}

    def write(self, days: Iterable[date | None]) -> None:
        """Write what was extracted of these days, beside the lake; None for what has no time."""
        self._written = self._write(EXTRACTED, days)

    def replace(self, days: Iterable[date | None]) -> None:
        """Bring in what was written of these days, and their roll-ups."""
        self._commit({**self._written, **self._write(ROLLED_UP, days)})
        self._written = {}

    def replace_windows(self) -> None:
        self._commit({WINDOWS.name: self.tables[WINDOWS.name].write_all()})

    def _write(self, tables: Iterable[LakeTable], days: Iterable[date | None]) -> dict[str, Change]:
        days = list(days)
        return {table.name: self.tables[table.name].write(days) for table in tables}

    def _commit(self, changes: Mapping[str, Change]) -> None:
        """At the same time: a distant store takes its time over each, and the transaction waits for it."""
        files = [(self.tables[name], file) for name, change in changes.items() for file in change.added]
        together(lambda pair: pair[0].upload(pair[1]), files)
        together(lambda name: self.tables[name].commit(changes[name]), changes)

    def note(self, **values: Any) -> None:
        """Make the newest versions those that readers open."""
        LakeSnapshot.objects.filter(pk=ROW).update(versions=versions_of(self.tables), **values)

    def clean_up(self, lease: Lease, purges: list[int]) -> None:
        """Remove what is old, at most hourly; at once where marks ask for a purge, which are done then."""
        for name, table in self.tables.items():
            shorten_log(table, since=self._opened[name])
        if purges:
            self._purge(lease, purges)
        elif self._is_time_to_vacuum():
            self.vacuum(lease)

    def vacuum(self, lease: Lease, *, hours: int = KEPT_HOURS) -> None:
        """Remove the files that no version of the last `hours` needs."""
        remove_old_files(self.tables.values(), hours=hours)
        with one_snapshot():
            lease.renew()
            self.note(vacuumed_at=timezone.now())

    def _purge(self, lease: Lease, marks: list[int]) -> None:
        # Who lost its lease would remove what its successor is writing.
        lease.renew()
        remove_old_files(self.tables.values(), hours=0)
        remove_copies()
        with one_snapshot():
            lease.renew()
            # Last: copies that are made from here on hold nothing of what was deleted.
            self.note(vacuumed_at=timezone.now(), purged_at=timezone.now())
            remove_marks(marks)

    def _is_time_to_vacuum(self) -> bool:
        vacuumed_at = LakeSnapshot.objects.values_list("vacuumed_at", flat=True).get(pk=ROW)
        return vacuumed_at is None or not vacuumed_at <= timezone.now() < vacuumed_at + PAUSE
