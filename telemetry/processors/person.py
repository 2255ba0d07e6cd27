"""One processor over one claimed person's pending transcripts."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, transaction

from accounts.models import User
from telemetry.errors import ClaimLost, TranscriptChanged
from telemetry.models import SessionTranscript
from telemetry.processors.attempts import (
    begin_attempt,
    is_current,
    note_failure,
    note_success,
    take_back_attempt,
)
from telemetry.processors.base import Job, Processor, Result
from telemetry.processors.claims import Claim
from telemetry.processors.library import PersonLibrary
from telemetry.processors.report import RunReport

log = logging.getLogger(__name__)

# Small transcripts are written together: a commit costs as much as a hundred rows.
WRITE_TOGETHER = 16
WRITE_ITEMS = 2000

Extracted = tuple[Job, Result]


@dataclass
class PersonRun:
    """Works through what is pending of `owner`; `report` is added to.

    `tried` holds (transcript id, revision) of what failed in this run: it is not tried again in it.
    `extracted` waits to be written; `at_work` is whose attempt was counted and has not ended.
    """

    processor: Processor
    owner: User
    claim: Claim
    report: RunReport
    tried: set[tuple[int, int]]
    time_is_up: Callable[[], bool]
    on_progress: Callable[[RunReport], None]
    extracted: list[Extracted] = field(default_factory=list)
    at_work: dict[int, SessionTranscript] = field(default_factory=dict)

    def run(self) -> None:
        """Until nothing is pending: new uploads, and copies that lost their records.

        Raises ClaimLost and what else is no transcript's fault, after taking the attempts back.
        """
        try:
            while self._run_round():
                pass
        except (KeyboardInterrupt, Exception):
            for transcript in self.at_work.values():
                take_back_attempt(self.processor, transcript)
            raise

    def _run_round(self) -> bool:
        """Process what is pending now. False where there was nothing to do, or time is up."""
        worked = False
        pending = self._pending()
        if not pending:
            return False
        for job in self._jobs(pending):
            worked = True
            self._process(job)
            self.on_progress(self.report)
        self._write_extracted()
        self.on_progress(self.report)
        return worked and not self.report.out_of_time

    def _pending(self) -> dict[int, SessionTranscript]:
        pending = SessionTranscript.objects.pending(self.processor.name).of(self.owner.pk)
        return {row.pk: row for row in pending if (row.pk, row.revision) not in self.tried}

    def _jobs(self, pending: dict[int, SessionTranscript]) -> Iterator[Job]:
        """In owner order, so that a transcript comes before those that have copies of its records."""
        for batch in PersonLibrary(self.owner.pk).batches(pending):
            for known in batch.members:
                if self.time_is_up():
                    self.report.out_of_time = True
                    return
                yield Job(self.owner, pending[known.transcript_id], known, batch, self.claim.keep_alive)

    def _process(self, job: Job) -> None:
        attempt = begin_attempt(self.processor, self.owner, job.transcript)
        self.at_work[job.transcript.pk] = job.transcript
        if attempt > 1:
            # It may kill the worker: nothing that others have done must wait for it.
            self._write_extracted()
        try:
            result = self.processor.extract(job)
        except Exception as error:
            if is_outside_cause(error):
                raise
            self._fail(job.transcript, error)
            return
        self.extracted.append((job, result))
        items = sum(result.items for _, result in self.extracted)
        if attempt > 1 or len(self.extracted) >= WRITE_TOGETHER or items >= WRITE_ITEMS:
            self._write_extracted()

    def _write_extracted(self) -> None:
        """Write together what waits; if that fails, one by one, so that only the culprit fails."""
        extracted, self.extracted = self.extracted, []
        if not extracted:
            return
        try:
            self._write(extracted)
        except Exception as error:
            if is_outside_cause(error):
                raise
            if len(extracted) == 1:
                self._fail(extracted[0][0].transcript, error)
                return
            for one in extracted:
                self.extracted = [one]
                self._write_extracted()

    def _write(self, extracted: list[Extracted]) -> None:
        with transaction.atomic():
            self.claim.renew()
            for job, result in extracted:
                if not is_current(job.transcript):
                    raise TranscriptChanged(f"{job.transcript} changed while it was read.")
                result.write()
                note_success(self.processor, job.transcript, result.items)
        for job, _ in extracted:
            del self.at_work[job.transcript.pk]
        self.report.processed += len(extracted)
        self.report.items += sum(result.items for _, result in extracted)

    def _fail(self, transcript: SessionTranscript, error: Exception) -> None:
        """Keep the error, unless the transcript changed meanwhile: then it is pending, and no failure."""
        del self.at_work[transcript.pk]
        if not is_current(transcript):
            return
        log.error("%s failed for %s", self.processor.name, transcript, exc_info=error)
        self.tried.add((transcript.pk, transcript.revision))
        self.report.failed += 1
        self.report.failures.append(f"{transcript}: {note_failure(self.processor, transcript, error)}")


def is_outside_cause(error: Exception) -> bool:
    """Whether an error says nothing of the transcript: storage or database away, disk full, claim lost."""
    if isinstance(error, FileNotFoundError):
        return False
    return isinstance(error, OSError | OperationalError | InterfaceError | ClaimLost)
