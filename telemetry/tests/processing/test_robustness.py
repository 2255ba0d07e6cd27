"""What must not stop the others, or cost a transcript its attempts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError

from accounts.models import User
from telemetry.models import (
    SessionProcessorState,
    SessionTranscriptPart,
    UsageDirtyDay,
    UsageEvent,
    UsageMessage,
    VerificationFinding,
)
from telemetry.processors import registry
from telemetry.processors.base import Job, Processor
from telemetry.processors.runner import run
from telemetry.tests.builders import assistant_line, moment, transcript_bytes, user_line
from telemetry.tests.figures import processed, upload
from telemetry.tests.processing.test_runner import session, state

pytestmark = pytest.mark.django_db

DAY = 86_400


class TestOneOfMany:
    def test_a_transcript_without_a_part_does_not_keep_the_run_going(self, bob: User) -> None:
        upload(bob, session("s1"))
        SessionTranscriptPart.objects.update(superseded=True)
        assert run("usage").processed == 0

    def test_a_damaged_fingerprint_stops_its_person_only(self, bob: User, charlie: User) -> None:
        upload(bob, session("s1"))
        upload(charlie, session("s2"))
        SessionTranscriptPart.objects.filter(transcript__owner=bob).update(fingerprint=b"odd")
        report = run("usage")
        assert (report.processed, report.failed) == (1, 1)
        assert f"user {bob.pk}" in report.failures[0]
        assert UsageEvent.objects.get().user_id == charlie.pk


def test_a_stored_file_that_was_cut_short_is_an_error_and_keeps_the_old_rows(bob: User) -> None:
    upload(bob, session("s1", calls=200))
    processed()
    part = SessionTranscriptPart.objects.select_related("transcript").get()
    with default_storage.open(part.storage_key) as stored:
        whole = stored.read()
    default_storage.save(part.storage_key, ContentFile(whole[: len(whole) // 2]))
    SessionProcessorState.objects.update(revision=0)
    assert run("usage").failed == 1
    assert "StoredFileDamaged" in (state("s1").last_error or "")
    assert UsageEvent.objects.count() == 200


def test_an_error_of_the_database_never_quotes_what_people_wrote(bob: User, monkeypatch: Any) -> None:
    class Clashing:
        items = 0

        def write(self) -> None:
            finding = {"session_file": "x", "kind": "unknown_key", "detail": "secret words", "count": 1}
            VerificationFinding.objects.bulk_create(VerificationFinding(**finding) for _ in range(2))

    upload(bob, session("s1"))
    clashing = Processor("usage", 1, lambda job: Clashing())
    monkeypatch.setitem(registry.PROCESSORS, "usage", clashing)
    report = run("usage")
    error = state("s1").last_error or ""
    assert error.startswith("IntegrityError: ")
    assert "verification_findings" in error
    assert "secret" not in error + "".join(report.failures)
    assert "\n" not in error


class TestOutages:
    @pytest.mark.parametrize(
        "error", [ConnectionError("storage away"), OSError(28, "disk full"), OperationalError("locked")]
    )
    def test_an_outage_costs_no_attempt(self, error: Exception, bob: User, monkeypatch: Any) -> None:
        for name in ("s1", "s2"):
            upload(bob, session(name))

        def away(key: str) -> Any:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr("telemetry.files.storage.read_stored", away)
            for _ in range(5):
                assert run("usage").failed == 1
        assert not SessionProcessorState.objects.filter(attempts__gt=0).exists()
        assert run("usage").processed == 2

    def test_what_was_extracted_before_it_is_not_blamed_either(self, bob: User, monkeypatch: Any) -> None:
        for name in ("s1", "s2"):
            upload(bob, session(name))
        usage = registry.PROCESSORS["usage"]

        def extract(job: Job) -> Any:
            if job.transcript.session_id == "s2":
                raise OSError(5, "input/output error")
            return usage.extract(job)

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, extract))
        run("usage")
        assert (state("s1").attempts, state("s2").attempts) == (0, 0)


class TestDirtyDays:
    def test_days_that_lose_a_message_to_an_earlier_transcript_are_dirty(self, bob: User) -> None:
        """The later session counted a message; the earlier one arrives with another record of it."""

        def says(name: str, day: int) -> bytes:
            prompt = user_line(sessionId=name, timestamp=moment(day * DAY), uuid=f"{name}-0")
            shared = assistant_line(
                message_id="shared", sessionId=name, timestamp=moment((day + 2) * DAY), uuid=f"{name}-1"
            )
            return transcript_bytes([prompt, shared])

        upload(bob, says("later", 1))
        processed()
        UsageDirtyDay.objects.all().delete()
        upload(bob, says("earlier", 0))
        processed()
        assert UsageMessage.objects.get().occurred_at is not None
        assert {str(mark.day) for mark in UsageDirtyDay.objects.all()} >= {
            "2026-05-01",
            "2026-05-03",
            "2026-05-04",
        }


class TestNewAddress:
    def test_an_email_change_is_carried_into_the_usage_tables(
        self, bob: User, settings: Any, run_queued: Callable[[], None]
    ) -> None:
        upload(bob, session("s1", calls=2))
        processed()
        UsageDirtyDay.objects.all().delete()
        bob.email = "robert@example.com"
        bob.save()
        run_queued()
        assert set(UsageEvent.objects.values_list("username", flat=True)) == {"robert@example.com"}
        assert state("s1").username == "robert@example.com"
        assert {str(mark.day) for mark in UsageDirtyDay.objects.all()} == {"2026-05-01"}

    def test_signing_in_asks_for_nothing(self, bob: User) -> None:
        from django_q.models import OrmQ

        upload(bob, session("s1"))
        processed()
        before = OrmQ.objects.count()
        bob.save(update_fields=["last_login"])
        bob.save()
        assert OrmQ.objects.count() == before


@pytest.fixture
def run_queued() -> Callable[[], None]:
    """Run what stands in the task queue, as a worker would."""
    from django.utils.module_loading import import_string
    from django_q.models import OrmQ

    def work() -> None:
        for queued in OrmQ.objects.all():
            task = queued.task
            import_string(task["func"])(*task["args"])

    return work
