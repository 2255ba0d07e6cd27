"""What is so at the moment of asking: a few cheap queries, and a look at the disk."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ, Task
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agnes.health import probes
from telemetry import vitals
from telemetry.dashboard import machine
from telemetry.files import disk
from telemetry.models import PublishingState

log = logging.getLogger(__name__)
FAILED_WITHIN = timedelta(days=1)


class GaugeCollector(Collector):
    """Asked for every answer. Without a database, what needs none is told all the same."""

    def collect(self) -> Iterator[Metric]:
        answers = probes.answers()
        yield _checks({name: answer.ok for name, answer in answers.items()})
        yield from _disk()
        if not (answers["database"].ok and answers["migrations"].ok):
            return
        try:
            yield from [*_processing(), *_publishing(), *_worker()]
        except DatabaseError as error:
            log.warning("Some metrics are left out: %s", error)


def register(registry: CollectorRegistry) -> None:
    registry.register(GaugeCollector())


def _checks(answers: Mapping[str, bool]) -> Metric:
    family = GaugeMetricFamily("agnes_check_ok", "1 where a check of /readyz is well.", labels=["check"])
    for name, ok in answers.items():
        family.add_metric([name], float(ok))
    return family


def _disk() -> Iterable[Metric]:
    # Where it cannot be told, the check `disk` says why.
    if (free := disk.look().free) is not None:
        yield _gauge("disk_free_bytes", "Bytes that are free where the data folder is.", free)


def _processing() -> Iterable[Metric]:
    waiting = machine.waiting()
    yield _gauge(
        "ingest_waiting",
        f"Transcripts that wait to be processed, counted up to {machine.MOST_COUNTED}.",
        waiting.count,
    )
    yield _gauge(
        "ingest_oldest_waiting_seconds",
        "For how long the oldest of them has waited; 0 where none does.",
        _seconds_since(waiting.oldest),
    )
    yield _gauge("ingest_failed", "Transcripts that a processor has given up.", machine.failed().count())


def _publishing() -> Iterable[Metric]:
    lag = vitals.publish_lag() or timedelta(0)
    yield _gauge(
        "publish_lag_seconds",
        "For how long the oldest change has waited to be published; 0 where none does.",
        lag.total_seconds(),
    )
    failing = PublishingState.objects.exclude(error="").exists()
    yield _gauge("publish_failing", "1 where the last attempt to publish failed.", failing)


def _worker() -> Iterable[Metric]:
    yield _gauge("queue_length", "Tasks that wait or are at work.", OrmQ.objects.count())
    since = timezone.now() - FAILED_WITHIN
    failed = Task.objects.filter(success=False, stopped__gte=since).count()
    yield _gauge("tasks_failed_recently", "Tasks that failed in the last 24 hours.", failed)
    if seen_at := vitals.worker_seen_at():
        yield _gauge(
            "worker_heartbeat_age_seconds",
            "Since a task worker, on whichever machine, left a sign of life. Missing before the first.",
            _seconds_since(seen_at),
        )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"agnes_{name}", meaning, value=float(value))


def _seconds_since(moment: datetime | None) -> float:
    return max((timezone.now() - moment).total_seconds(), 0) if moment else 0
