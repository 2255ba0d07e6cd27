"""Days freeze: once their figures are final, the watermark rises above them (telemetry/frozen_days.py)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date
from time import sleep

from django.db import transaction
from django.db.models import Min

from telemetry.errors import ClaimLost
from telemetry.frozen_days import frozen_before, is_frozen, wait_for_storing_transactions
from telemetry.leases import Lease, held
from telemetry.models import RetentionState, SessionTranscript, UsageDirtyDay
from telemetry.models.publishing import ROW
from telemetry.processors import usage
from telemetry.publishing import LEASE, WAIT_SECONDS


def freeze(before: date, *, is_over: Callable[[], bool]) -> date | None:
    """Freeze the days before this one, as far as nothing waits to be extracted or published there. Returns
    before which day all are frozen now."""
    lease = Lease(*LEASE)
    while True:
        try:
            with held(lease) as ours:
                if ours:
                    _freeze(lease, before)
                    break
        except ClaimLost:
            pass
        # Somebody publishes: no day may freeze meanwhile.
        if is_over():
            break
        sleep(WAIT_SECONDS)
    return frozen_before()


@transaction.atomic
def _freeze(lease: Lease, before: date) -> None:
    lease.renew()
    wait_for_storing_transactions()
    frozen = frozen_before()
    reached = min([before, *_unfinished_days(frozen)])
    if frozen is None or reached > frozen:
        RetentionState.objects.filter(pk=ROW).update(pruned_before=reached)


def _unfinished_days(frozen: date | None) -> Iterator[date]:
    """The first day that waits to be published, and the first of which something waits to be extracted."""
    for day in UsageDirtyDay.objects.exclude(day=None).values_list("day", flat=True).distinct():
        if day and not is_frozen(day, frozen):
            yield day
    first_at = SessionTranscript.objects.pending(usage.NAME).aggregate(first=Min("first_at"))["first"]
    if first_at:
        yield first_at.astimezone(UTC).date()
