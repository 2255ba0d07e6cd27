"""Publish first what is dirty, where that is quick: an export should not miss what was just uploaded."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import OperationalError, connection

from telemetry.days import DayRange, ranges
from telemetry.errors import LakeUnavailable
from telemetry.lake.location import is_lost, is_remote
from telemetry.lake.tables import SCHEMA
from telemetry.models import LakeSnapshot, UsageDirtyDay
from telemetry.publishing import publish
from telemetry.rollups.rebuilding import rows_on

log = logging.getLogger(__name__)

# Together well under two seconds: about 50 000 rows a second are published, and a day costs 50 ms.
MAX_DAYS = 7
MAX_ROWS = 20_000
SECONDS = 1.0
# For a lock that somebody else holds.
PATIENCE_MS = 1000
ALL_DAYS = DayRange(date(1970, 1, 1), date(9999, 12, 30))


def publish_if_quick() -> None:
    """What takes longer is left to the worker; the answer says as of when it is."""
    if is_remote() or not _is_quick():
        return
    try:
        with _impatient():
            publish(seconds=SECONDS)
    except (OperationalError, LakeUnavailable) as error:
        log.info("Not published before an export: %s", error)


def _is_quick() -> bool:
    if is_lost() or not LakeSnapshot.objects.filter(is_complete=True, schema=SCHEMA).exists():
        # Then everything is to be published.
        return rows_on(ALL_DAYS, at_most=MAX_ROWS) < MAX_ROWS
    dirty = UsageDirtyDay.objects.values_list("day", flat=True).distinct()[: MAX_DAYS + 1]
    # What has no time shares its ids with the first day.
    days = {day or ALL_DAYS.first for day in dirty}
    return len(days) <= MAX_DAYS and _rows_on(days) < MAX_ROWS


def _rows_on(days: set[date]) -> int:
    return sum(rows_on(each, at_most=MAX_ROWS) for each in ranges(days))


@contextmanager
def _impatient() -> Iterator[None]:
    """Another publisher or writer may hold a lock for long; whoever exports does not wait for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout")
            [before] = cursor.fetchone()
            begin, end = f"PRAGMA busy_timeout = {PATIENCE_MS}", f"PRAGMA busy_timeout = {before}"
        else:
            begin, end = f"SET lock_timeout = {PATIENCE_MS}", "SET lock_timeout TO DEFAULT"
        cursor.execute(begin)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(end)
