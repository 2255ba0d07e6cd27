"""What the task queue runs. Tasks take plain values and are harmless when they run twice."""

from dataclasses import asdict
from typing import Any

from accounts import audit
from telemetry import usernames
from telemetry.files.spool import remove_leftovers
from telemetry.lake.reading import sweep_copies
from telemetry.maintenance import pruning, unfinished
from telemetry.processors import wakeup
from telemetry.processors.processing import process, something_waits

# No task runs longer than a minute: longer work is cut and goes on in the next.
RUN_SECONDS = 25
# Of it, what was begun and not finished gets so much.
UNFINISHED_SECONDS = 10


def process_pending() -> dict[str, Any]:
    """What uploads ask for: a run of every processor."""
    wakeup.note_started()
    _go_on_with_unfinished()
    return {"usage": _process("usage"), "verification": _process("verification")}


def rewrite_username(user_id: int) -> dict[str, Any]:
    """A person's e-mail address changed."""
    return {"transcripts": usernames.rewrite_username(user_id)}


def process_usage() -> dict[str, Any]:
    """By the clock; the time to clear up as well."""
    remove_leftovers()
    _go_on_with_unfinished()
    return _process("usage")


def prune_usage() -> dict[str, Any]:
    """By the clock. What is left after a while, the next runs of the processors go on with."""
    with audit.context("task"):
        outcome = pruning.prune(actor=None, seconds=RUN_SECONDS)
        return {"removed": dict(outcome.removed), "why_not": outcome.why_not}


def process_verification() -> dict[str, Any]:
    return _process("verification")


def _go_on_with_unfinished() -> None:
    with audit.context("task"):
        unfinished.go_on(seconds=UNFINISHED_SECONDS)


def _process(processor_name: str) -> dict[str, Any]:
    # In every task, since each machine's worker runs only some of them.
    sweep_copies()
    with audit.context("task"):
        if something_waits(processor_name):
            wakeup.plan_run()
        report = process(processor_name, seconds=RUN_SECONDS)
        if report.held_elsewhere:
            wakeup.plan_run_after_claims()
        if report.out_of_time:
            wakeup.request_runs()
        # Not the failures: they name sessions, whose states tell them as long as the sessions are here.
        return {name: value for name, value in asdict(report).items() if name != "failures"}
