"""Counters of this process. They begin at 0 with it, as Prometheus expects; what other processes do, such as
commands and task workers, they do not know."""

import re
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector

from accounts.models import AuditLog

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUEST_SECONDS = Histogram(
    "agnes_http_request_duration_seconds",
    "Time until a request was answered; of what is streamed, until it began.",
    ["route", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
UPLOADS = Counter(
    "agnes_uploads",
    "Transcripts that were stored, by what they were: new, grown, superseded, diverged.",
    ["status"],
    registry=REGISTRY,
)
UPLOADED_BYTES = Counter(
    "agnes_uploaded_bytes", "Bytes of the transcripts that were stored, decompressed.", registry=REGISTRY
)
ACTIONS = Counter(
    "agnes_actions",
    "Rows of the audit log that were written, such as usage.export and usage.ask.",
    ["action", "result"],
    registry=REGISTRY,
)
WORD = re.compile(r"[a-z_]{1,32}", re.ASCII)


def connect() -> None:
    post_save.connect(_count_action, sender=AuditLog, dispatch_uid="metrics")


def _count_action(sender: Any, instance: AuditLog, **signal: Any) -> None:
    # What is rolled back has not happened.
    transaction.on_commit(lambda: _count(instance))


def _count(row: AuditLog) -> None:
    # A result may be a sentence, and every other one would be a series of its own.
    result = row.result if WORD.fullmatch(row.result) else "other"
    ACTIONS.labels(row.action, result).inc()
    if row.action == "session.upload":
        UPLOADS.labels(str(row.params["status"])).inc()
        UPLOADED_BYTES.inc(row.params["bytes"])
