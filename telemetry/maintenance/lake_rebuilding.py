"""Make the whole lake anew from the database, day by day, while readers go on with what there is."""

from dataclasses import dataclass
from time import sleep

from django.utils import timezone

from accounts import audit
from accounts.models import User
from telemetry.database.transactions import one_snapshot
from telemetry.dirty_days import Days, mark_dirty
from telemetry.errors import ClaimLost, LakeUnavailable
from telemetry.lake.opening import open_tables
from telemetry.lake.store_errors import writing_to_the_store
from telemetry.lake.writing import OpenTable
from telemetry.leases import Lease, held
from telemetry.models import LakeSnapshot, PublishingState, UsageDirtyDay
from telemetry.models.publishing import ROW
from telemetry.publishing import LEASE, WAIT_SECONDS, OnPublish, PublishReport, publish
from telemetry.rollups.rebuilding import days_with_rows


@dataclass
class Rebuild:
    """What is to be done: `goes_on` where an earlier rebuild was interrupted."""

    days: int
    goes_on: bool


def rebuild_lake(
    *, actor: User | None = None, on_progress: OnPublish = lambda done, of: None
) -> PublishReport:
    """Publish every day that the database or the lake has, after another publisher if there is one.

    Interrupted at any point, it goes on where it was, with the next publish or the next call. Damaged tables
    are thrown away first, and the lake of another database is taken over. Raises LakeUnavailable.
    """
    begun = begin()
    audit.record("lake.rebuild", actor=actor, params={"days": begun.days, "goes_on": begun.goes_on})
    return publish(wait=True, on_progress=on_progress)


def begin() -> Rebuild:
    """Mark what is to be done. Raises LakeUnavailable."""
    while True:
        lease = Lease(*LEASE)
        try:
            with held(lease) as ours:
                if ours:
                    return _begin_alone(lease)
        except ClaimLost:
            continue
        sleep(WAIT_SECONDS)


def _begin_alone(lease: Lease) -> Rebuild:
    tables = _readable_tables(lease)
    snapshot = LakeSnapshot.objects.get(pk=ROW)
    goes_on = snapshot.rebuilding_since is not None
    if snapshot.is_complete and not goes_on:
        _mark_everything(lease, tables)
    else:
        LakeSnapshot.objects.filter(pk=ROW).update(rebuilding_since=timezone.now())
    return Rebuild(UsageDirtyDay.objects.values("day").distinct().count(), goes_on)


def _readable_tables(lease: Lease) -> dict[str, OpenTable]:
    try:
        return open_tables(lease)
    except LakeUnavailable:
        # It may have been a passing error. If it was not, and the store answers, what it holds is damaged.
        return open_tables(lease, take_over=True)


def _mark_everything(lease: Lease, tables: dict[str, OpenTable]) -> None:
    with writing_to_the_store():
        in_lake = set().union(*(_days_in(table) for table in tables.values()))
    with one_snapshot():
        lease.renew()
        mark_dirty({None, *in_lake, *days_with_rows()})
        LakeSnapshot.objects.filter(pk=ROW).update(rebuilding_since=timezone.now())
        PublishingState.objects.update(windows_day=None)


def _days_in(table: OpenTable) -> Days:
    return {file.day for file in table.stored_files()}
