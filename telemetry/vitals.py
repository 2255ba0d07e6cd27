"""The few figures that tell whether the work gets done, each of them one cheap query.

The admin's front page, /readyz and /metrics all show these.
"""

from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from telemetry.models import UsageDirtyDay, WorkerHeartbeat

# A schedule looks after what waits every ten minutes: what waits for longer is stuck.
STUCK = timedelta(hours=1)


def worker_seen_at() -> datetime | None:
    """When a task worker, on whichever machine, last left a sign of life."""
    seen_at: datetime | None = WorkerHeartbeat.objects.aggregate(seen_at=Max("beat_at"))["seen_at"]
    return seen_at


def publish_lag() -> timedelta | None:
    """For how long the oldest change has waited to be published; None where none waits."""
    since: datetime | None = UsageDirtyDay.objects.aggregate(since=Min("marked_at"))["since"]
    return None if since is None else max(timezone.now() - since, timedelta(0))
