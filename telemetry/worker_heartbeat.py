"""Whether a task worker is alive, on whichever machine.

django-q2's master tells twice a second how it is, to a cache that other processes need not see. Here it also
writes a row, now and then.
"""

import socket
from datetime import datetime, timedelta
from time import monotonic

from django.utils import timezone
from django_q.brokers.orm import ORM

from telemetry.models import WorkerHeartbeat

EVERY_SECONDS = 20.0
# A beat may wait for the write lock of SQLite.
ALIVE = timedelta(seconds=90)
KEPT = timedelta(days=1)


class Broker(ORM):  # type: ignore[misc]
    """The queue in the database, whose worker leaves a sign of life."""

    _beaten: float | None = None

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Called by the worker's master only. What it raises is logged by django-q2, which goes on."""
        super().set_stat(key, value, timeout)
        if self._beaten is None or monotonic() - self._beaten >= EVERY_SECONDS:
            self._beaten = monotonic()
            beat(key)


def beat(cluster: str) -> None:
    now = timezone.now()
    host = socket.gethostname()[:64]
    WorkerHeartbeat.objects.update_or_create(cluster=cluster[-64:], defaults={"host": host, "beat_at": now})
    WorkerHeartbeat.objects.filter(beat_at__lt=now - KEPT).delete()


def is_alive(beat_at: datetime | None) -> bool:
    return beat_at is not None and timezone.now() - beat_at < ALIVE
