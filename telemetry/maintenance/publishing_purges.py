"""Publish until nothing waits, so that no old file of the lake holds what was removed for privacy."""

from contextlib import suppress

from telemetry.errors import LakeUnavailable
from telemetry.models import UsageDirtyDay
from telemetry.publishing import publish


def publish_purged(*, seconds: float | None = None) -> bool:
    """False where the lake cannot be reached, or time was up; the task worker goes on."""
    with suppress(LakeUnavailable):
        publish(seconds=seconds, wait=True)
    return not UsageDirtyDay.objects.filter(purge=True).exists()
