"""Which transcripts no processor has anything to do with: what is pending is found among the others.

Whatever makes a transcript pending unsettles it in the same transaction. The runner settles afterwards what
every processor is done with; what it misses costs a look at its states in later runs, and nothing else.
"""

from django.db import transaction

from telemetry.database.bulk import IN_LIMIT
from telemetry.models import SessionTranscript
from telemetry.processors.registry import PROCESSORS


def settle(user_id: int) -> None:
    """What every processor has done, or given up, of a person. One query where there is nothing."""
    unsettled = SessionTranscript.objects.of(user_id).unsettled()
    ids = list(unsettled.settled(PROCESSORS).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), IN_LIMIT):
        _settle_some(ids[start : start + IN_LIMIT])


@transaction.atomic
def _settle_some(ids: list[int]) -> None:
    """Whoever unsettles them waits for these locks, or has committed before the states are looked at."""
    some = SessionTranscript.objects.filter(pk__in=ids).order_by("pk")
    list(some.select_for_update(no_key=True).values_list("pk"))
    some.order_by().settled(PROCESSORS).update(is_unsettled=False)
