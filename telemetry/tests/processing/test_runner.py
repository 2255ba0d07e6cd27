"""Finding what is pending, claiming people, counting attempts, going on when one fails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from telemetry.models import (
    MAX_ATTEMPTS,
    SessionProcessorClaim,
    SessionProcessorState,
    SessionTranscript,
    UsageDirtyDay,
    UsageEvent,
    UsageSessionSummary,
)
from telemetry.processors import attempts, person, registry
from telemetry.processors.base import Job, Processor
from telemetry.processors.claims import Claim
from telemetry.processors.runner import run
from telemetry.tests.builders import assistant_line, moment, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import upload

pytestmark = pytest.mark.django_db


class Death(BaseException):
    """The worker is gone."""


def session(name: str, calls: int = 1, at: float = 0) -> bytes:
    lines = [user_line("hi", sessionId=name, timestamp=moment(at), uuid=f"{name}-0")]
    for number in range(calls):
        ident = f"{name}-{number + 1}"
        block = tool_use("Bash", id=f"toolu-{ident}")
        lines.append(
            assistant_line(
                [block], message_id=f"msg-{ident}", sessionId=name, timestamp=moment(at + number), uuid=ident
            )
        )
    return transcript_bytes(lines)


def state(name: str, processor_name: str = "usage") -> SessionProcessorState:
    return SessionProcessorState.objects.get(processor_name=processor_name, session_file__contains=name)


@pytest.fixture
def explosive(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """`explosive("s1", error)`: from now on processing the session s1 raises that error."""
    usage = registry.PROCESSORS["usage"]

    def arm(session_id: str, error: Exception) -> None:
        def extract(job: Job) -> Any:
            if job.transcript.session_id == session_id:
                raise error
            return usage.extract(job)

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, extract))

    return arm


class TestRun:
    def test_it_extracts_events_and_says_what_it_did(self, bob: User) -> None:
        upload(bob, session("s1", calls=3))
        report = run("usage")
        assert (report.processed, report.failed, report.items) == (1, 0, 3)
        assert UsageEvent.objects.filter(user=bob).count() == 3
        assert state("s1").processed_at
        assert state("s1").items_extracted == 3

    def test_a_second_run_has_nothing_to_do(self, bob: User) -> None:
        upload(bob, session("s1"))
        run("usage")
        assert run("usage").processed == 0

    def test_an_idle_tick_costs_the_same_few_queries_whatever_is_known(
        self, bob: User, django_assert_num_queries: Any
    ) -> None:
        for number in range(5):
            upload(bob, session(f"s{number}"))
        run("usage")
        with django_assert_num_queries(1):
            run("usage")

    def test_a_grown_transcript_is_done_again_and_its_days_are_dirty(self, bob: User) -> None:
        upload(bob, session("s1", calls=1))
        run("usage")
        UsageDirtyDay.objects.all().delete()
        assert upload(bob, session("s1", calls=4)) == "grown"
        run("usage")
        assert UsageEvent.objects.count() == 4
        assert UsageSessionSummary.objects.get().tool_calls == 4
        assert {str(mark.day) for mark in UsageDirtyDay.objects.all()} == {"2026-05-01"}

    def test_an_older_processor_version_is_not_pending_by_itself(self, bob: User) -> None:
        upload(bob, session("s1"))
        run("usage")
        SessionProcessorState.objects.update(processor_version=0)
        assert run("usage").processed == 0

    def test_it_stops_when_time_is_up_and_says_so(self, bob: User) -> None:
        for number in range(3):
            upload(bob, session(f"s{number}"))
        report = run("usage", seconds=1e-9)
        assert report.out_of_time
        assert report.processed < 3
        assert run("usage").processed == 3 - report.processed


class TestFailures:
    def test_one_that_fails_does_not_hold_up_the_others(self, bob: User, explosive: Any) -> None:
        for name in ("s1", "s2", "s3"):
            upload(bob, session(name))
        explosive("s2", ValueError("boom"))
        report = run("usage")
        assert (report.processed, report.failed) == (2, 1)
        assert state("s2").last_error == "ValueError: boom"
        assert (state("s2").processed_at, state("s2").attempts) == (None, 1)

    def test_it_is_given_up_after_three_attempts_and_shows_its_error(self, bob: User, explosive: Any) -> None:
        upload(bob, session("s1"))
        explosive("s1", ValueError("boom"))
        assert [run("usage").failed for _ in range(5)] == [1, 1, 1, 0, 0]
        assert state("s1").processed_at is None
        assert state("s1").attempts == MAX_ATTEMPTS
        assert state("s1").last_error == "ValueError: boom"

    def test_a_new_revision_gets_new_attempts(self, bob: User, explosive: Any, monkeypatch: Any) -> None:
        upload(bob, session("s1"))
        explosive("s1", ValueError("boom"))
        for _ in range(MAX_ATTEMPTS):
            run("usage")
        monkeypatch.undo()
        upload(bob, session("s1", calls=2))
        assert run("usage").processed == 1

    def test_a_write_that_fails_fails_alone(self, bob: User, monkeypatch: Any) -> None:
        for name in ("s1", "s2", "s3"):
            upload(bob, session(name))
        real = attempts.note_success

        def note_success(processor: Processor, transcript: SessionTranscript, items: int) -> None:
            if transcript.session_id == "s2":
                raise RuntimeError("no room")
            real(processor, transcript, items)

        monkeypatch.setattr(person, "note_success", note_success)
        report = run("usage")
        assert (report.processed, report.failed) == (2, 1)
        assert sorted(UsageEvent.objects.values_list("session_id", flat=True)) == ["s1", "s3"]

    def test_a_lost_file_is_an_error_of_its_transcript(self, bob: User) -> None:
        upload(bob, session("s1"))
        upload(bob, session("s2"))
        lost = SessionTranscript.objects.get(session_id="s1").parts.get()
        default_storage.delete(lost.storage_key)
        report = run("usage")
        assert (report.processed, report.failed) == (1, 1)
        error = state("s1").last_error or ""
        assert error.startswith(f"StoredFileDamaged: The stored file {lost.sha256} is missing: upload")

    def test_what_a_dead_worker_left_is_tried_alone(self, bob: User, monkeypatch: Any) -> None:
        """A worker that was killed counted attempts of transcripts that it had extracted, but not written.
        They must not be given up for what another one did: the next run writes each before it goes on."""
        for name in ("s1", "s2", "s3"):
            upload(bob, session(name))
        usage = registry.PROCESSORS["usage"]
        for transcript in SessionTranscript.objects.all():
            attempts.begin_attempt(usage, bob, transcript)
        assert state("s1").last_error == attempts.DIED

        def die(job: Job) -> Any:
            if job.transcript.session_id == "s3":
                raise Death
            return usage.extract(job)

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, die))
        with pytest.raises(Death):
            run("usage")
        assert [bool(state(name).processed_at) for name in ("s1", "s2", "s3")] == [True, True, False]

    def test_an_interrupt_costs_no_attempt(self, bob: User, monkeypatch: Any) -> None:
        for name in ("s1", "s2"):
            upload(bob, session(name))
        usage = registry.PROCESSORS["usage"]

        def interrupt(job: Job) -> Any:
            if job.transcript.session_id == "s2":
                raise KeyboardInterrupt
            return usage.extract(job)

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, interrupt))
        for _ in range(MAX_ATTEMPTS + 1):
            with pytest.raises(KeyboardInterrupt):
                run("usage")
        assert (state("s1").attempts, state("s2").attempts) == (0, 0)
        monkeypatch.undo()
        assert run("usage").processed == 2


class TestClaims:
    def test_a_claimed_person_is_left_to_the_other_worker(self, bob: User, charlie: User) -> None:
        upload(bob, session("s1"))
        upload(charlie, session("s2"))
        assert Claim("usage", bob.pk).take()
        report = run("usage")
        assert (report.processed, report.held_elsewhere) == (1, True)
        assert run("verification").processed == 2

    def test_a_claim_is_free_again_after_a_run(self, bob: User) -> None:
        upload(bob, session("s1"))
        run("usage")
        assert not SessionProcessorClaim.objects.exists()

    def test_a_dead_worker_s_claim_expires(self, bob: User) -> None:
        upload(bob, session("s1"))
        Claim("usage", bob.pk).take()
        SessionProcessorClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert run("usage").processed == 1

    def test_a_worker_that_lost_its_claim_writes_nothing(self, bob: User, monkeypatch: Any) -> None:
        upload(bob, session("s1"))
        usage = registry.PROCESSORS["usage"]

        def slow(job: Job) -> Any:
            result = usage.extract(job)
            SessionProcessorClaim.objects.update(holder="another")
            return result

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, slow))
        report = run("usage")
        assert (report.processed, report.failed, report.held_elsewhere) == (0, 0, True)
        assert not UsageEvent.objects.exists()

    def test_a_transcript_that_changes_meanwhile_is_done_in_its_new_form(
        self, bob: User, monkeypatch: Any
    ) -> None:
        upload(bob, session("s1", calls=1))
        usage = registry.PROCESSORS["usage"]
        uploads = [session("s1", calls=5)]

        def extract(job: Job) -> Any:
            result = usage.extract(job)
            if uploads:
                upload(bob, uploads.pop())
            return result

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, extract))
        report = run("usage")
        assert (report.processed, report.failed) == (1, 0)
        assert UsageEvent.objects.count() == 5


class TestCopies:
    def test_an_earlier_owner_that_comes_later_takes_its_records(self, bob: User) -> None:
        """The fork is uploaded and processed first; then the session it was copied from."""
        original = session("origin", calls=3)
        lines = original.replace(b'"sessionId":"origin"', b'"sessionId":"the-fork"')
        own = session("the-fork", calls=2, at=500)
        upload(bob, lines + own)
        run("usage")
        assert events_by_session() == {"the-fork": 5}
        upload(bob, original)
        run("usage")
        assert events_by_session() == {"origin": 3, "the-fork": 2}

    def test_people_never_share(self, bob: User, charlie: User) -> None:
        for owner in (bob, charlie):
            upload(owner, session("s1", calls=2))
        run("usage")
        assert UsageEvent.objects.count() == 4


def events_by_session() -> dict[str, int]:
    summaries = UsageSessionSummary.objects.values_list("session_id", "events")
    events = list(UsageEvent.objects.values_list("session_id", flat=True))
    counted = {name: events.count(name) for name in set(events)}
    assert counted == {name: count for name, count in summaries if count}
    return counted
