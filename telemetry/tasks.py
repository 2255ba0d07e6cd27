"""What the task queue runs. Tasks take plain values and are harmless when they run twice."""

from dataclasses import asdict
from typing import Any

from accounts import audit
from telemetry.processors.runner import run
from telemetry.processors.wakeup import note_started, request_run

# No task runs longer than a minute: longer work is cut and goes on in the next.
RUN_SECONDS = 45


def process_usage() -> dict[str, Any]:
    return _process("usage")


def process_verification() -> dict[str, Any]:
    return _process("verification")


def _process(processor_name: str) -> dict[str, Any]:
    with audit.context("task"):
        note_started(processor_name)
        report = run(processor_name, seconds=RUN_SECONDS)
        if report.out_of_time:
            request_run(processor_name)
        return asdict(report)
