"""What the worker does by the clock. The list is declared here; the rows in the database follow it.

Rows named `agnes: …` belong to this list: missing ones are made, changed ones set right, others removed. Rows
that an operator made under another name are left alone.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

PREFIX = "agnes: "


@dataclass(frozen=True)
class Every:
    """A task without arguments, every so many minutes."""

    name: str
    func: str
    minutes: int

    def as_row(self) -> dict[str, Any]:
        row = {**asdict(self), "name": PREFIX + self.name}
        return {**row, "schedule_type": Schedule.MINUTES, "repeats": -1, "args": None, "kwargs": None}


def declared() -> list[Every]:
    minutes = settings.SCHEDULER_USAGE_PROCESSOR_INTERVAL // 60
    pruning = settings.SCHEDULER_USAGE_PRUNE_INTERVAL // 60
    nightly = settings.SCHEDULER_MARKETPLACE_SYNC_INTERVAL // 60
    return [
        Every("process usage", "telemetry.tasks.process_usage", minutes),
        Every("process verification", "telemetry.tasks.process_verification", minutes),
        Every("prune usage", "telemetry.tasks.prune_usage", pruning),
        # The safety net: a change of attribution asks for it at once.
        Every("re-attribute", "marketplace.tasks.reattribute", minutes),
        Every("sync marketplaces", "marketplace.tasks.sync_all", nightly),
        Every("collect served repositories", "marketplace.tasks.collect_served", 60),
        Every("remove stray uploads", "marketplace.tasks.remove_stray_packs", 24 * 60),
        Every("clear sessions", "accounts.tasks.clear_sessions", 24 * 60),
        Every("record failed sign-ins", "accounts.tasks.record_failed_sign_ins", 10),
    ]


@transaction.atomic
def sync() -> list[str]:
    """Make the rows say what is declared; returns the names. When a known row runs next is left as it is."""
    rows = [every.as_row() for every in declared()]
    names = [row["name"] for row in rows]
    ours = Schedule.objects.filter(name__startswith=PREFIX)
    ours.exclude(name__in=names).delete()
    for row in rows:
        # The name is not unique in the database, and the admin lets people copy rows.
        ours.filter(
            pk__in=ours.filter(name=row["name"]).order_by("pk").values_list("pk", flat=True)[1:]
        ).delete()
        Schedule.objects.update_or_create(
            name=row["name"], defaults=row, create_defaults={**row, "next_run": timezone.now()}
        )
    return names
