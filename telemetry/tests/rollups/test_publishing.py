"""What is published when, by whom, and what stays dirty."""

from datetime import UTC, date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from telemetry import publishing
from telemetry.dirty_days import mark_dirty, read_marks
from telemetry.leases import Lease
from telemetry.models import (
    PublishingLease,
    PublishingState,
    SessionTranscript,
    UsageDaily,
    UsageDirtyDay,
    UsageEvent,
)
from telemetry.processors.processing import process
from telemetry.publishing import publish
from telemetry.rollups import rebuilding
from telemetry.tests.builders import assistant_line, moment, transcript_bytes, user_line
from telemetry.tests.figures import upload
from telemetry.tests.planting import AT, plant_event, plant_summary, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import NOW, Clock
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db
TIDY = {"source": "curated", "ref_id": "market/tidy"}


@pytest.fixture
def transcript(clock: Clock, bob: User) -> SessionTranscript:
    return plant_transcript(bob)


def plant(transcript: SessionTranscript, *days: date, **fields: Any) -> None:
    """An event at noon of each day, with its mark."""
    for day in days:
        plant_event(
            transcript,
            str(day),
            occurred_at=AT.replace(year=day.year, month=day.month, day=day.day),
            **fields,
        )
    mark_dirty(days)


def last_days(count: int) -> list[date]:
    """Newest first."""
    return [NOW.date() - timedelta(days=number) for number in range(count)]


class TestEveryUsageRun:
    def test_it_publishes_and_says_how_many_days(self, clock: Clock, bob: User):
        upload(bob, session("s1"))
        upload(bob, session("s2", at=86_400))
        assert process("usage").published_days == 2
        assert stored() == expected()
        assert UsageDaily.objects.count() == 2
        assert process("usage").published_days == 0

    def test_a_run_of_another_processor_publishes_nothing(self, clock: Clock, bob: User):
        upload(bob, session("s1"))
        process("usage")
        mark_dirty([NOW.date()])
        assert process("verification").published_days == 0
        assert UsageDirtyDay.objects.exists()

    def test_an_idle_tick_costs_two_queries_whatever_is_known(
        self, clock: Clock, bob: User, django_assert_num_queries: Any
    ):
        """What is pending; what is dirty, and which day the windows end with."""
        for number in range(5):
            upload(bob, session(f"s{number}", at=86_400 * number))
        process("usage")
        with django_assert_num_queries(2):
            process("usage")

    def test_a_failure_does_not_hold_up_the_others_figures(self, clock: Clock, bob: User):
        plant_transcript(bob, "its-file-is-gone")
        upload(bob, session("s1"))
        report = process("usage")
        assert (report.failed, report.published_days) == (1, 1)

    def test_the_days_are_utc_days_for_an_admin_in_tokyo(
        self, clock: Clock, alice: User, bob: User, client: Client
    ):
        alice.time_zone = "Asia/Tokyo"
        alice.save()
        client.force_login(alice)
        upload(bob, session("s1", calls=1, at=8 * 3600))
        process("usage")
        upload(bob, session("s1", calls=2, at=8 * 3600))
        answer = client.post("/api/admin/run-session-processor", headers={"origin": "http://testserver"})
        assert answer.status_code == 200, answer.content
        assert answer.json()["published_days"] == 1
        assert stored() == expected()


class TestMarks:
    def test_the_day_of_a_message_that_moves_to_an_earlier_transcript(self, clock: Clock, bob: User):
        """Both sessions have the message, on different days; the one that does not own it came first."""

        def talk(session: str, day: int) -> bytes:
            answer = assistant_line(message_id="m", sessionId=session, timestamp=moment(day * 86_400))
            return transcript_bytes([user_line("hi", sessionId=session), answer])

        upload(bob, talk("later", day=1))
        process("usage")
        upload(bob, talk("earlier", day=2))
        process("usage")
        assert stored() == expected()

    def test_only_marked_days_are_touched(self, transcript: SessionTranscript):
        plant(transcript, *last_days(3))
        publish()
        clean = last_days(3)[1]
        UsageDaily.objects.update(people=99)
        mark_dirty([clean])
        assert publish().days == {clean}
        assert sorted(UsageDaily.objects.values_list("people", flat=True)) == [1, 99, 99]

    def test_a_day_that_lost_its_last_event_has_no_row(self, transcript: SessionTranscript):
        plant(transcript, *last_days(2))
        publish()
        gone = UsageEvent.objects.order_by("id").first()
        assert gone
        gone.delete()
        mark_dirty([last_days(2)[1]])
        publish()
        assert [row.day for row in UsageDaily.objects.all()] == [NOW.date()]

    def test_the_mark_of_what_has_no_time_goes_too(self, transcript: SessionTranscript):
        plant_event(transcript, occurred_at=None)
        mark_dirty([None])
        assert publish().published_days == 0
        assert not UsageDirtyDay.objects.exists()

    def test_a_mark_that_comes_while_it_works_is_not_lost(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        """An event is committed after its day was made and before the marks are removed."""
        plant(transcript, NOW.date())
        late = iter(["late"])

        real = rebuilding.make

        def make(days: Any) -> None:
            real(days)
            for identity in late:
                plant_event(transcript, identity, occurred_at=NOW)
                mark_dirty([NOW.date()])

        monkeypatch.setattr(rebuilding, "make", make)
        publish()
        assert not UsageDirtyDay.objects.exists()
        assert UsageDaily.objects.get().invocations_builtin == 2

    def test_a_crash_leaves_the_marks_and_the_old_figures(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        plant(transcript, NOW.date())
        publish()
        before = stored()
        plant_event(transcript, "more", occurred_at=NOW)
        mark_dirty([NOW.date()])
        with monkeypatch.context() as patch:
            patch.setattr(publishing, "remove_marks", lambda ids: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                publish()
        assert stored() == before
        assert UsageDirtyDay.objects.count() == 1
        publish()
        assert stored() == expected()


class TestBatches:
    def test_the_newest_days_come_first_and_batches_are_bounded(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        batches: list[list[date]] = []

        real = rebuilding.make

        def make(days: list[date]) -> None:
            batches.append(list(days))
            real(days)

        monkeypatch.setattr(rebuilding, "make", make)
        monkeypatch.setattr(publishing, "BATCH_DAYS", 4)
        plant(transcript, *last_days(10))
        assert publish().published_days == 10
        assert batches == [last_days(10)[:4], last_days(10)[4:8], last_days(10)[8:]]
        assert stored() == expected()

    def test_a_busy_day_is_a_batch_of_its_own(self, transcript: SessionTranscript, monkeypatch: Any):
        plant(transcript, *last_days(3))
        busy = last_days(3)[1]
        for number in range(5):
            plant_event(transcript, f"busy {number}", occurred_at=AT.replace(day=busy.day))
        monkeypatch.setattr(publishing, "BATCH_ROWS", 4)
        marks = read_marks()
        assert list(publishing._batches(marks)) == [[day] for day in last_days(3)]

    def test_it_stops_when_time_is_up_and_goes_on_next_time(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        monkeypatch.setattr(publishing, "BATCH_DAYS", 4)
        plant(transcript, *last_days(10))
        first = publish(seconds=0)
        assert (first.published_days, first.out_of_time, first.as_of) == (4, True, None)
        assert [publish(seconds=0).published_days for _ in range(3)] == [4, 2, 0]
        assert stored() == expected()

    def test_it_stops_when_time_is_up_between_two_rounds(self, transcript: SessionTranscript):
        """However fast others mark new days."""
        plant(transcript, *last_days(1))
        rounds: list[int] = []

        def mark_again(done: int, of: int) -> None:
            rounds.append(done)
            if len(rounds) < 5:
                mark_dirty(last_days(1))

        assert publish(seconds=0, on_progress=mark_again).out_of_time
        assert len(rounds) == 1
        assert UsageDirtyDay.objects.exists()
        publish()
        assert not UsageDirtyDay.objects.exists()

    def test_an_error_that_is_over_is_not_told_any_more(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        monkeypatch.setattr(publishing, "BATCH_DAYS", 1)
        PublishingState.objects.create(pk=1, error="The lake cannot be reached")
        plant(transcript, *last_days(3))
        assert publish(seconds=0).out_of_time
        assert PublishingState.objects.get().error == ""


class TestAsOf:
    def test_it_is_when_the_marks_were_read(self, clock: Clock, transcript: SessionTranscript):
        plant(transcript, NOW.date())
        assert publish().as_of == NOW
        clock.move(hours=1)
        assert publish().as_of == NOW
        plant(transcript, last_days(2)[1])
        assert publish().as_of == NOW + timedelta(hours=1)


class TestWindows:
    def test_they_move_on_with_the_clock(self, clock: Clock, transcript: SessionTranscript):
        """Used on the last day, and on the day before the window of seven days."""
        plant(transcript, NOW.date(), NOW.date() - timedelta(days=7), **TIDY)
        publish()
        assert windows() == {"7d": (1, 1, 1), "30d": (2, 1, 0)}
        clock.move(days=6)
        assert publish().published_days == 0
        assert windows() == {"7d": (1, 1, 1), "30d": (2, 1, 0)}
        clock.move(days=1)
        publish()
        assert windows() == {"7d": (0, 0, 1), "30d": (2, 1, 0)}
        clock.move(days=23)
        publish()
        assert windows() == {"30d": (0, 0, 2)}
        clock.move(days=23)
        publish()
        assert windows() == {"30d": (0, 0, 1)}
        clock.move(days=7)
        publish()
        assert windows() == {}

    def test_a_change_in_the_window_before_is_seen(self, clock: Clock, transcript: SessionTranscript):
        publish()
        plant(transcript, NOW.date() - timedelta(days=59), NOW.date() - timedelta(days=45), **TIDY)
        publish()
        assert windows() == {"30d": (0, 0, 2)}

    def test_the_day_begins_at_midnight_utc(self, clock: Clock, transcript: SessionTranscript):
        clock.now = NOW.replace(hour=23, minute=59, tzinfo=UTC)
        plant(transcript, NOW.date() - timedelta(days=6), **TIDY)
        publish()
        assert windows()["7d"] == (1, 1, 0)
        clock.move(minutes=1)
        publish()
        assert windows()["7d"] == (0, 0, 1)

    def test_events_to_come_are_outside(self, clock: Clock, transcript: SessionTranscript):
        plant(transcript, NOW.date() + timedelta(days=1), **TIDY)
        publish()
        assert windows() == {}
        clock.move(days=1)
        publish()
        assert windows() == {"7d": (1, 1, 0), "30d": (1, 1, 0)}

    def test_a_person_counts_once_however_many_days(
        self, clock: Clock, transcript: SessionTranscript, charlie: User
    ):
        plant(transcript, *last_days(5), **TIDY)
        plant(plant_transcript(charlie, "c"), NOW.date(), **TIDY)
        publish()
        assert windows()["7d"] == (6, 2, 0)

    def test_they_are_made_even_if_there_is_nothing_at_all(self, clock: Clock, db: None):
        assert publish().published_days == 0
        assert PublishingState.objects.get().windows_day == NOW.date()


class TestOneAtATime:
    def test_marks_are_left_to_another_publisher(self, transcript: SessionTranscript):
        plant(transcript, NOW.date())
        assert Lease("publishing_lease", {"what": "usage"}).take()
        report = publish()
        assert (report.left_to_other, report.published_days) == (True, 0)
        assert UsageDirtyDay.objects.exists()

    def test_the_publisher_looks_once_more_after_it_let_go(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        """What another worker left to it in its last moment is not forgotten."""
        plant(transcript, NOW.date())
        real = Lease.release
        late = iter(last_days(2)[1:])

        def release(lease: Lease) -> None:
            for day in late:
                plant(transcript, day)
                assert publish().left_to_other
            real(lease)

        monkeypatch.setattr(Lease, "release", release)
        assert publish().published_days == 2
        assert stored() == expected()

    def test_a_dead_publisher_s_lease_expires(
        self, clock: Clock, transcript: SessionTranscript, settings: Any
    ):
        plant(transcript, NOW.date())
        Lease("publishing_lease", {"what": "usage"}).take()
        clock.move(seconds=settings.PROCESSOR_CLAIM_SECONDS + 1)
        assert publish().published_days == 1
        assert not PublishingLease.objects.exists()

    def test_a_publisher_that_was_too_slow_changes_nothing(
        self, transcript: SessionTranscript, monkeypatch: Any
    ):
        publish()
        plant(transcript, NOW.date())

        def slow() -> Any:
            PublishingLease.objects.update(holder="another")
            return real()

        real = read_marks
        monkeypatch.setattr(publishing, "read_marks", slow)
        assert publish().left_to_other
        assert not any(stored().values())
        assert UsageDirtyDay.objects.count() == 1


class TestRebuildAll:
    def test_it_makes_everything_anew(self, transcript: SessionTranscript):
        plant(transcript, *last_days(3), **TIDY)
        plant_summary(transcript)
        publish()
        before = stored()
        UsageDaily.objects.update(people=99)
        UsageDaily.objects.create(day=date(2020, 1, 1), people=5)
        publishing.rebuild_all()
        assert stored() == before == expected()


def windows() -> dict[str, tuple[int, int, int]]:
    """invocations, people, invocations before; by period."""
    return {row[0]: row[3:] for row in stored()["usage_plugin_window"]}
