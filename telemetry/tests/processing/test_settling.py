"""What is pending is found among few, however many transcripts are done."""

import re
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from telemetry.models import (
    MAX_ATTEMPTS,
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageSessionSummary,
)
from telemetry.processors import attempts, registry
from telemetry.processors.reprocessing import process_again
from telemetry.processors.runner import run
from telemetry.tests.admin.test_a_million_rows import explain
from telemetry.tests.figures import upload
from telemetry.tests.planting import plant_state, plant_transcript
from telemetry.tests.processing.test_runner import explosive, session, state  # noqa: F401

pytestmark = pytest.mark.django_db


def run_all() -> None:
    for name in registry.PROCESSORS:
        run(name)


def unsettled() -> list[str]:
    return list(SessionTranscript.objects.unsettled().order_by("pk").values_list("session_id", flat=True))


class TestSettling:
    def test_what_every_processor_has_done_is_settled(self, bob: User):
        upload(bob, session("s1"))
        run("usage")
        assert unsettled() == ["s1"]
        run("verification")
        assert unsettled() == []

    def test_what_is_given_up_is_settled(self, bob: User, explosive: Any):  # noqa: F811
        upload(bob, session("s1"))
        explosive("s1", ValueError("boom"))
        for _ in range(MAX_ATTEMPTS):
            assert unsettled() == ["s1"]
            run_all()
        assert unsettled() == []

    def test_people_without_work_are_not_looked_at(self, bob: User, charlie: User):
        theirs = plant_transcript(charlie, "theirs")
        for name in registry.PROCESSORS:
            plant_state(theirs, name)
        upload(bob, session("s1"))
        run_all()
        assert unsettled() == ["theirs"]


class TestUnsettling:
    @pytest.fixture
    def settled(self, bob: User) -> SessionTranscript:
        upload(bob, session("s1"))
        run_all()
        assert unsettled() == []
        return SessionTranscript.objects.get()

    def pending(self) -> list[str]:
        pending = {name: SessionTranscript.objects.pending(name) for name in registry.PROCESSORS}
        return [name for name, rows in pending.items() if rows.exists()]

    def test_a_longer_upload(self, bob: User, settled: SessionTranscript):
        upload(bob, session("s1", calls=2))
        assert self.pending() == ["usage", "verification"]

    def test_an_operator_who_has_it_done_again(self, alice: User, settled: SessionTranscript):
        assert process_again(SessionTranscript.objects.all(), by=alice) == 1
        assert self.pending() == ["usage", "verification"]

    def test_one_that_is_about_to_be_settled(self, alice: User, settled: SessionTranscript):
        """Its state may have been looked at already: the row is written, so that the other waits."""
        SessionTranscript.objects.update(is_unsettled=True)
        assert SessionTranscript.objects.all().unsettle() == 1

    def test_an_attempt_that_is_taken_back(self, settled: SessionTranscript):
        SessionProcessorState.objects.filter(processor_name="usage").update(processed_at=None, attempts=3)
        attempts.take_back_attempt(registry.PROCESSORS["usage"], settled)
        assert self.pending() == ["usage"]

    def test_an_earlier_owner_of_its_records(self, bob: User, settled: SessionTranscript):
        earlier = session("s1").replace(b'"s1"', b'"s0"').replace(b"2026-05-01T1", b"2026-05-01T0", 1)
        upload(bob, earlier)
        run("usage")
        assert UsageEvent.objects.get().session_file.endswith("_s0.jsonl")
        assert UsageSessionSummary.objects.get(session_id="s1").tool_calls == 0
        assert state("s1").processed_at
        assert unsettled() == ["s0"]


class TestTheQuery:
    @pytest.fixture
    def plan(self, bob: User) -> Any:
        if connection.vendor == "postgresql":
            # It plans by what it last knew of a table: here that most transcripts are settled, as they are.
            for number in range(100):
                plant_transcript(bob, f"session {number}")
            SessionTranscript.objects.exclude(session_id="session 0").update(is_unsettled=False)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE session_transcripts")
                cursor.execute("SET LOCAL enable_seqscan = off")
        return lambda rows: explain(*rows.query.sql_with_params())

    def test_it_is_led_by_an_index_of_what_is_unsettled(self, bob: User, plan: Any):
        pending = SessionTranscript.objects.pending("usage")
        by_person = pending.order_by("owner_id").values_list("owner_id", flat=True).distinct()
        assert "session_transcripts_unsettled" in plan(by_person)
        assert "session_transcripts_unsettled" in plan(pending.of(bob.pk))
        oldest = pending.order_by("updated_at").values_list("updated_at")[:100]
        # PostgreSQL sorts the few rows that there are here.
        assert re.search("session_transcripts_(waiting|unsettled)", plan(oldest))
        assert "TEMP B-TREE" not in plan(by_person) + plan(oldest)
