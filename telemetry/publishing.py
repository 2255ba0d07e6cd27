"""Bring the roll-ups and the lake up to date with what was extracted: the dirty days only.

Every change of extracted rows marks its days in its own transaction (telemetry/dirty_days.py). One publisher
at a time rebuilds the marked days, newest first, writes them to the lake, and removes the marks in the same
transaction: wherever it dies, marks are left and no wrong figure.

The roll-ups of frozen days (telemetry/frozen_days.py) are written to the lake as they are, and never rebuilt.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from telemetry.database.durability import redoable_writes
from telemetry.database.transactions import one_snapshot, reading
from telemetry.days import DayRange, today
from telemetry.dirty_days import Marks, mark_dirty, read_marks, remove_marks
from telemetry.errors import ClaimLost, LakeUnavailable
from telemetry.frozen_days import frozen_before, is_frozen
from telemetry.lake import location
from telemetry.lake.tables import SCHEMA
from telemetry.leases import Lease, held, kept
from telemetry.models import LakeSnapshot, PublishingState, UsageDirtyDay
from telemetry.models.publishing import ROW
from telemetry.rollups import plugin_window, rebuilding
from telemetry.rollups.rebuilding import days_with_rows, rows_on

if TYPE_CHECKING:
    from telemetry.lake.publishing import PublishedLake

# Told how many of the marked days are published, and how many there are.
OnPublish = Callable[[int, int], None]
# What is rebuilt at once at most, unless one day alone is more.
BATCH_DAYS = 31
BATCH_ROWS = 100_000
# A bucket takes a part of a second for each of a day's eight files.
BATCH_DAYS_REMOTE = 7
LEASE = ("publishing_lease", {"what": "usage"})
WAIT_SECONDS = 0.5


@dataclass
class PublishReport:
    """Something dirty may be left: the publisher was `out_of_time`, or another one is at it."""

    days: set[date] = field(default_factory=set)
    as_of: datetime | None = None
    left_to_other: bool = False
    out_of_time: bool = False

    @property
    def published_days(self) -> int:
        return len(self.days)


def publish(
    *,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: OnPublish = lambda done, of: None,
) -> PublishReport:
    """Publish what is dirty, for at most about `seconds`; one query where nothing is. Raises LakeUnavailable.

    However short the time, one batch of days is published. Whatever it raises, what was not published stays
    marked. Where another publisher is at work, the marks are left to it: it looks for new ones after it has
    let go. With `wait` the answer comes when nothing is dirty.
    """
    report = PublishReport()
    begun = False
    deadline = monotonic() + seconds if seconds is not None else None
    with redoable_writes():
        while not report.out_of_time and _something_waits(report):
            if begun and _is_over(deadline):
                report.out_of_time = True
                break
            begun = True
            _publish_alone(report, deadline, on_progress)
            if report.left_to_other:
                if not wait:
                    break
                sleep(WAIT_SECONDS)
    return report


def rebuild_all() -> PublishReport:
    """Publish every day anew, whatever the roll-ups hold, but for those of frozen days."""
    with transaction.atomic():
        mark_dirty({None, *days_with_rows()})
        PublishingState.objects.update(windows_day=None)
    return publish()


def _something_waits(report: PublishReport) -> bool:
    known = PublishingState.objects.annotate(
        dirty=Exists(UsageDirtyDay.objects.all()), lake=Exists(LakeSnapshot.objects.filter(schema=SCHEMA))
    )
    state = known.filter(pk=ROW).first()
    if state is None:
        return True
    report.as_of = state.as_of
    return bool(state.dirty) or state.windows_day != today() or not state.lake or location.is_lost()


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and monotonic() > deadline


def _publish_alone(report: PublishReport, deadline: float | None, on_progress: OnPublish) -> None:
    lease = Lease(*LEASE)
    try:
        with held(lease) as ours:
            report.left_to_other = not ours
            if ours:
                _publish_marked(lease, report, deadline, on_progress)
    except ClaimLost:
        report.left_to_other = True
    except LakeUnavailable as error:
        PublishingState.objects.update_or_create(pk=ROW, defaults={"error": error.message})
        raise


def _publish_marked(
    lease: Lease, report: PublishReport, deadline: float | None, on_progress: OnPublish
) -> None:
    # Only here: it takes 60 MB, and most processes never publish.
    from telemetry.lake.publishing import PublishedLake

    lake = PublishedLake(lease)
    as_of = timezone.now()
    marks = read_marks()
    published: list[date | None] = []
    for number, batch in enumerate(_batches(marks)):
        if number and _is_over(deadline):
            report.out_of_time = True
            break
        _publish_days(lease, lake, batch, marks)
        published += batch
        report.days.update(batch)
        on_progress(len(published), len(marks.days))
    else:
        _finish(lease, lake, marks, as_of)
        published.append(None)
    lake.clean_up(lease, marks.purges(published))


def _publish_days(lease: Lease, lake: "PublishedLake", days: Sequence[date], marks: Marks) -> None:
    """First all that takes long is read on one snapshot, while others write. Then days, windows and marks are
    replaced in one transaction: readers see the figures of before, or of after.

    Why no change is ever lost: the marks were read before the snapshot was taken, so whoever wrote them had
    committed, with their changes, and every statement here sees those. A change that commits later brings a
    mark with an id that was not read, and so stays: if the snapshot held the change already, the day is
    rebuilt once more for nothing. No day freezes meanwhile, since that takes the same lease.

    What the lake was given is seen by its readers once the transaction is committed. If it is not, the marks
    are left, and the next publisher undoes it. Nothing reaches the lake before the lease is renewed: another
    publisher may have removed for good what this one has read.
    """
    before = frozen_before()
    rebuilt = [day for day in days if not is_frozen(day, before)]
    try:
        with kept(lease), reading():
            rebuilding.make(rebuilt)
            lake.write(days)
        with one_snapshot():
            lease.renew()
            rebuilding.replace(rebuilt)
            lake.replace(days)
            if any(plugin_window.reaches(day, today()) for day in days):
                _rebuild_windows(lake)
            lake.note()
            remove_marks(marks.plain(days))
            PublishingState.objects.filter(pk=ROW).update(error="")
    finally:
        rebuilding.clear()


def _finish(lease: Lease, lake: "PublishedLake", marks: Marks, as_of: datetime) -> None:
    """All marks that were read are published: the windows move on with the clock, and `as_of` with them."""
    if None in marks.ids:
        with kept(lease), reading():
            lake.write([None])
    with one_snapshot():
        lease.renew()
        if None in marks.ids:
            lake.replace([None])
        if not PublishingState.objects.filter(pk=ROW, windows_day=today()).exists():
            _rebuild_windows(lake)
        lake.note(is_complete=True, rebuilding_since=None)
        remove_marks(marks.plain([None]))
        PublishingState.objects.filter(pk=ROW).update(as_of=as_of, error="")


def _rebuild_windows(lake: "PublishedLake") -> None:
    last_day = today()
    plugin_window.rebuild(last_day)
    lake.replace_windows()
    PublishingState.objects.update_or_create(pk=ROW, defaults={"windows_day": last_day})


def _batches(marks: Marks) -> Iterator[list[date]]:
    """The marked days, newest first, cut so that each batch is soon done."""
    at_most = min(BATCH_DAYS, BATCH_DAYS_REMOTE) if location.is_remote() else BATCH_DAYS
    batch: list[date] = []
    rows = 0
    for day in marks.days:
        more = rows_on(DayRange(day, day), at_most=BATCH_ROWS)
        if batch and (rows + more > BATCH_ROWS or len(batch) >= at_most):
            yield batch
            batch, rows = [], 0
        batch.append(day)
        rows += more
    if batch:
        yield batch
