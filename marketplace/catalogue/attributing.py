"""Telemetry is told which identifiers belong to which item, and looks again at what is concerned."""

from time import monotonic

from django.db import transaction
from django_q.tasks import async_task

from marketplace.catalogue.exploding import belongings_of
from marketplace.models import Reattribution, ReattributionIdentifier
from telemetry.attribution.lock import wait_for_attributing_transactions, write_attribution_alone
from telemetry.attribution.reattribution import process_again_where_named
from telemetry.attribution.writing import replace_attribution
from telemetry.database.bulk import insert_rows
from telemetry.models import Source

TASK = "marketplace.tasks.reattribute"
TRANSCRIPTS_AT_ONCE = 500


@transaction.atomic
def attribute_catalogue(source: str = Source.CURATED) -> int:
    """Fill the tables of attribution from the stored catalogue of a source; those rows that are right stay.

    What is stored of transcripts follows in a task, or by `reattribute`. Returns how many identifiers may
    mean something else now.
    """
    write_attribution_alone()
    identifiers = replace_attribution(source, belongings_of(source))
    if identifiers:
        reattribution = Reattribution.objects.create()
        rows = ((reattribution.pk, identifier) for identifier in sorted(identifiers))
        insert_rows(ReattributionIdentifier, ("reattribution_id", "identifier"), rows)
        async_task(TASK, task_name="re-attribute")
    return len(identifiers)


def reattribute(*, seconds: float | None = None) -> bool:
    """Make what names changed identifiers pending again, for at most about `seconds`.

    Returns whether all is done. Several workers may do it at once, and after a kill it goes on where it was.
    """
    deadline = None if seconds is None else monotonic() + seconds
    for waiting in Reattribution.objects.order_by("pk"):
        wait_for_attributing_transactions()
        if not _work_off(waiting, deadline):
            return False
    return True


def _work_off(waiting: Reattribution, deadline: float | None) -> bool:
    identifiers = frozenset(waiting.identifiers.values_list("identifier", flat=True))
    while deadline is None or monotonic() < deadline:
        with transaction.atomic():
            done_to = process_again_where_named(
                identifiers, after=waiting.done_to, at_most=TRANSCRIPTS_AT_ONCE
            )
            if done_to is None:
                waiting.delete()
                return True
            Reattribution.objects.filter(pk=waiting.pk).update(done_to=done_to)
        waiting.done_to = done_to
    return False
