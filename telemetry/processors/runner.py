"""Find who has something pending, claim a person, and run a processor over their transcripts."""

import logging
from collections.abc import Callable
from time import monotonic, sleep

from accounts.models import User
from telemetry.database.durability import redoable_writes
from telemetry.errors import ClaimLost
from telemetry.models import SessionTranscript
from telemetry.processors.attempts import described
from telemetry.processors.base import Processor
from telemetry.processors.claims import claimed
from telemetry.processors.person import PersonRun
from telemetry.processors.registry import processor_named
from telemetry.processors.report import RunReport
from telemetry.processors.settling import settle

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0


def run(
    processor_name: str,
    *,
    user_id: int | None = None,
    seconds: float | None = None,
    wait: bool = False,
    on_progress: Callable[[RunReport], None] = lambda report: None,
) -> RunReport:
    """Process what is pending for one processor, of everybody or of one person, for at most about `seconds`.

    People whom another worker has claimed are left to it; with `wait` the run goes on until nothing is
    pending. A transcript that fails is tried once a run. Raises UnknownProcessor.
    """
    started = monotonic()
    deadline = None if seconds is None else started + seconds
    runner = _Runner(processor_named(processor_name), user_id, deadline, on_progress)
    with redoable_writes():
        runner.run_once()
        while wait and runner.report.held_elsewhere:
            sleep(WAIT_SECONDS)
            runner.run_once()
    runner.report.seconds = round(monotonic() - started, 3)
    return runner.report


class _Runner:
    def __init__(
        self,
        processor: Processor,
        user_id: int | None,
        deadline: float | None,
        on_progress: Callable[[RunReport], None],
    ) -> None:
        self.processor = processor
        self.user_id = user_id
        self.deadline = deadline
        self.on_progress = on_progress
        self.report = RunReport()
        self.tried: set[tuple[int, int]] = set()

    def run_once(self) -> None:
        """One pass over everybody who has something pending; one query where nobody has."""
        self.report.held_elsewhere = False
        pending = SessionTranscript.objects.pending(self.processor.name)
        if self.user_id is not None:
            pending = pending.of(self.user_id)
        for user_id in pending.order_by("owner_id").values_list("owner_id", flat=True).distinct():
            if self._time_is_up():
                self.report.out_of_time = True
                return
            try:
                self._run_person(user_id)
            except ClaimLost as error:
                log.warning("%s for user %s: %s", self.processor.name, user_id, error)
                self.report.held_elsewhere = True
            except Exception as error:
                # Whatever is wrong with one person must not hold up the others.
                log.exception("%s stopped for user %s", self.processor.name, user_id)
                self.report.failed += 1
                self.report.failures.append(f"user {user_id}: {described(error)}")

    def _run_person(self, user_id: int) -> None:
        with claimed(self.processor.name, user_id) as claim:
            if claim is None:
                self.report.held_elsewhere = True
                return
            owner = User.objects.get(pk=user_id)
            PersonRun(
                self.processor, owner, claim, self.report, self.tried, self._time_is_up, self.on_progress
            ).run()
        settle(user_id)

    def _time_is_up(self) -> bool:
        return self.deadline is not None and monotonic() >= self.deadline
