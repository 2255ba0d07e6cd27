"""The state of the machine: what waits, what failed, how old the figures are, whether anybody works."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Count, Func, QuerySet, Subquery, Value
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import User
from telemetry.dashboard.scalars import count_of
from telemetry.lake import location
from telemetry.models import (
    PublishingState,
    SessionTranscript,
    UsageDirtyDay,
    VerificationFinding,
    WorkerHeartbeat,
)
from telemetry.models.transcripts import SessionTranscriptQuerySet
from telemetry.processors.progress import not_begun
from telemetry.processors.registry import PROCESSORS
from telemetry.processors.reprocessing import process_again
from telemetry.vitals import STUCK
from telemetry.worker_heartbeat import is_alive

MOST_COUNTED = 5_000


@dataclass(frozen=True)
class Waiting:
    """Transcripts that wait for the processor `usage`, counted up to MOST_COUNTED, and since when the oldest
    one does."""

    count: int
    oldest: datetime | None

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST_COUNTED

    @property
    def is_stuck(self) -> bool:
        return self.oldest is not None and timezone.now() - self.oldest > STUCK


@dataclass(frozen=True)
class Machine:
    """`failed` are transcripts that wait for an operator; `dirty_days` are days that wait to be published,
    the first of them since `waits_since`."""

    failed: int
    dirty_days: int
    waits_since: datetime | None
    as_of: datetime | None
    publishing_error: str
    queued: int
    beat_at: datetime | None
    database_bytes: int

    @property
    def worker_is_alive(self) -> bool:
        return is_alive(self.beat_at)

    @property
    def lag(self) -> timedelta | None:
        """For how long the oldest change has waited to be published; None where none waits."""
        return timezone.now() - self.waits_since if self.waits_since else None

    @property
    def is_late(self) -> bool:
        return self.lag is not None and self.lag > STUCK


def machine(reader: User) -> Machine:
    """One query, which hangs on the reader's row because that one is always there."""
    state = PublishingState.objects.order_by("pk")
    beats = WorkerHeartbeat.objects.order_by("-beat_at").values("beat_at")
    [row] = User.objects.filter(pk=reader.pk).values(
        failed=count_of(failed()),
        dirty_days=count_of(UsageDirtyDay.objects.all()),
        waits_since=Subquery(UsageDirtyDay.objects.order_by("marked_at").values("marked_at")[:1]),
        as_of=Subquery(state.values("as_of")[:1]),
        publishing_error=Subquery(state.values("error")[:1]),
        queued=count_of(OrmQ.objects.all()),
        beat_at=Subquery(beats[:1]),
        database_bytes=_database_size(),
    )
    return Machine(**{**row, "publishing_error": row["publishing_error"] or ""})


def waiting() -> Waiting:
    """One query: the oldest come first along an index."""
    found = not_begun(SessionTranscript.objects.unsettled(), "usage")
    since = list(found.order_by("updated_at").values_list("updated_at", flat=True)[:MOST_COUNTED])
    return Waiting(len(since), oldest=since[0] if since else None)


def failed() -> SessionTranscriptQuerySet:
    """Transcripts that some processor has given up."""
    return SessionTranscript.objects.given_up(*PROCESSORS)


def retry_failed(*, by: User) -> int:
    """Let what was given up be tried again; audited. Returns how many transcripts."""
    return process_again(failed(), by=by)


def findings() -> Sequence[tuple[str, int]]:
    """How many findings of each kind there are, the most frequent first."""
    rows: QuerySet[Any] = VerificationFinding.objects.order_by().values("kind")
    counted = rows.annotate(findings=Count("pk")).order_by("-findings", "kind")
    return [(row["kind"], row["findings"]) for row in counted]


def _database_size() -> Func | Value:
    """What PostgreSQL tells in the same query; of SQLite the files do."""
    if connection.vendor == "postgresql":
        return Func(
            Func(function="current_database"), function="pg_database_size", output_field=BigIntegerField()
        )
    file = Path(settings.DATABASES["default"]["NAME"])
    total = sum(it.stat().st_size for it in file.parent.glob(f"{file.name}*"))
    return Value(total, output_field=BigIntegerField())


def lake_bytes() -> int | None:
    """Old versions of files included; None where the lake is in a bucket, or not there yet."""
    folder = Path(settings.LAKE_URL)
    if location.is_remote() or not folder.is_dir():
        return None
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:  # vacuumed meanwhile
            continue
    return total
