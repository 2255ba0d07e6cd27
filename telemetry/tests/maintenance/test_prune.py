"""What is older than the retention goes; figures by day stay, whatever is done afterwards."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry import tasks
from telemetry.errors import LakeUnavailable
from telemetry.lake import publishing as lake_publishing
from telemetry.leases import Lease
from telemetry.maintenance import old_rows, pruning, reprocess
from telemetry.maintenance.lake_rebuilding import rebuild_lake
from telemetry.maintenance.reprocess import Mode
from telemetry.models import (
    RetentionState,
    SessionTranscript,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
)
from telemetry.processors.processing import process
from telemetry.publishing import LEASE, publish, rebuild_all
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.planting import AT, plant_event, plant_message, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import NOW, Clock
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db
URL = "/api/admin/usage/prune"
DAY = 86_400
# The builders' sessions begin at this day.
START = date(2026, 5, 1)
KEPT_DAYS = 61
# The first day that is kept.
FIRST_KEPT = NOW.date() - timedelta(days=KEPT_DAYS)


def at(day: date) -> float:
    """For `session`: so many seconds after its start."""
    return (day - START).days * DAY


@pytest.fixture
def retention(settings: Any, clock: Clock) -> None:
    settings.USAGE_EVENTS_RETENTION_DAYS = KEPT_DAYS


@pytest.fixture
def world(bob: User, charlie: User, clock: Clock) -> dict[str, Any]:
    """Sessions of long ago, on both sides of the border, and of today; the roll-ups of all."""
    upload(bob, session("ancient", calls=3, at=at(FIRST_KEPT - timedelta(days=400))))
    upload(charlie, session("old", calls=2, at=at(FIRST_KEPT - timedelta(days=1))))
    # 10 events before midnight, and the rest after it.
    upload(bob, session("over", calls=20, at=at(FIRST_KEPT) - 10 * 3600 - 10))
    upload(bob, session("kept", calls=4, at=at(FIRST_KEPT)))
    upload(charlie, session("new", calls=1))
    process("usage")
    process("verification")
    return dict(stored())


def days_of_events() -> set[date]:
    return {moment.date() for moment in UsageEvent.objects.values_list("occurred_at", flat=True) if moment}


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("usage_prune", *arguments, stdout=out, stderr=out)
    return out.getvalue()


class TestByDefault:
    def test_nothing_is_removed_and_it_says_so(self, world: dict[str, Any]):
        assert "keeps everything" in command()
        assert "keeps everything" in command("--dry-run")
        tasks.prune_usage()
        assert UsageEvent.objects.count() == 30
        assert not AuditLog.objects.filter(action="usage.prune").exists()
        assert not RetentionState.objects.exists()


@pytest.mark.usefixtures("retention")
class TestEvents:
    def test_what_is_older_goes_and_figures_stay(self, world: dict[str, Any]):
        told = command()
        assert "Removed 15 events and 15 messages from before 2026-03-02." in told
        assert min(days_of_events()) == FIRST_KEPT
        assert UsageEvent.objects.count() == UsageMessage.objects.count() == 15
        assert UsageSessionSummary.objects.count() == 5
        assert stored() == world

    def test_it_goes_from_the_lake_too(self, world: dict[str, Any]):
        before = in_lake()
        command()
        after = in_lake()
        assert after == in_database()
        for name, days in after.items():
            if name in ("usage_events", "usage_messages"):
                assert min(days) == FIRST_KEPT  # type: ignore[type-var]
            else:
                assert days == before[name]

    def test_once_more_changes_nothing(self, world: dict[str, Any]):
        command()
        assert "Removed 0 events" in command()
        assert stored() == world

    def test_a_day_later_it_goes_on(self, world: dict[str, Any], clock: Clock):
        command()
        clock.move(days=1)
        tasks.prune_usage()
        assert min(days_of_events()) == START
        assert list(stored()["usage_daily"]) == world["usage_daily"]

    def test_it_is_audited_with_counts(self, world: dict[str, Any]):
        command()
        row = AuditLog.objects.get(action="usage.prune")
        assert row.params == {
            "events_before": "2026-03-02", "transcripts_before": None, "events": 15, "messages": 15,
            "transcripts": 0,
        }  # fmt: skip
        tasks.prune_usage()
        assert AuditLog.objects.filter(action="usage.prune").count() == 1

    def test_a_dry_run_counts_and_changes_nothing(self, world: dict[str, Any]):
        assert "Would remove 15 events and 15 messages" in command("--dry-run")
        assert UsageEvent.objects.count() == 30
        assert not RetentionState.objects.exists()

    def test_what_has_no_time_goes_by_when_it_came(self, bob: User, clock: Clock):
        for name, received in (("old", FIRST_KEPT - timedelta(days=1)), ("new", FIRST_KEPT)):
            moment = datetime(received.year, received.month, received.day, 23, tzinfo=UTC)
            transcript = plant_transcript(bob, name, received_at=moment)
            plant_event(transcript, name, occurred_at=None)
            plant_message(transcript, name, occurred_at=None)
        SessionTranscript.objects.update(is_unsettled=False)
        publish()
        assert "Would remove 1 events and 1 messages" in command("--dry-run")
        command()
        assert UsageEvent.objects.get().session_id == "new"
        assert in_lake() == in_database()


class TestFrozenDays:
    """Whatever makes figures anew leaves those of pruned days as they are, and brings them into the lake."""

    @pytest.fixture(autouse=True)
    def pruned(self, retention: None, world: dict[str, Any]) -> dict[str, Any]:
        command()
        return world

    def assert_as_before(self, world: dict[str, Any]) -> None:
        assert stored() == world
        assert in_lake() == in_database()
        assert min(days_of_events()) >= FIRST_KEPT

    def test_rebuilding_all(self, pruned: dict[str, Any]):
        rebuild_all()
        self.assert_as_before(pruned)

    def test_rebuilding_the_lake(self, pruned: dict[str, Any]):
        rebuild_lake()
        self.assert_as_before(pruned)

    def test_a_lake_that_is_begun_anew(self, pruned: dict[str, Any], settings: Any):
        shutil.rmtree(settings.LAKE_URL)
        publish()
        self.assert_as_before(pruned)

    @pytest.mark.parametrize("mode", Mode)
    def test_reprocessing(self, mode: Mode, pruned: dict[str, Any]):
        summaries = list(
            UsageSessionSummary.objects.order_by("session_file").values_list("events", "tool_calls")
        )
        plan = reprocess.reprocess(mode, actor=None).plan
        process("usage")
        self.assert_as_before(pruned)
        assert UsageEvent.objects.count() == 15
        again = UsageSessionSummary.objects.order_by("session_file").values_list("events", "tool_calls")
        assert list(again) == summaries
        if mode is Mode.AT_ONCE:
            frozen = [row for rows in pruned.values() for row in rows if str(row[0]) < str(FIRST_KEPT)]
            assert plan.removed["rollups"] == sum(map(len, pruned.values())) - len(frozen)

    def test_a_late_upload(self, pruned: dict[str, Any], bob: User):
        """Its session is there, with all of its figures; of pruned days nothing is stored or counted."""
        upload(bob, session("late", calls=20, at=at(FIRST_KEPT) - 10 * 3600 - 10))
        process("usage")
        assert UsageSessionSummary.objects.get(session_id="late").tool_calls == 20
        assert UsageEvent.objects.filter(session_id="late").count() == 10
        assert in_lake() == in_database()
        unchanged = [row for row in stored()["usage_daily"] if row[0] < FIRST_KEPT]
        assert unchanged == [row for row in pruned["usage_daily"] if row[0] < FIRST_KEPT]
        [kept] = [row for row in stored()["usage_daily"] if row[0] == FIRST_KEPT]
        [oracle] = [row for row in expected()["usage_daily"] if row[0] == FIRST_KEPT]
        assert kept == oracle

    def test_a_session_over_the_border_that_grows(self, pruned: dict[str, Any], bob: User):
        upload(bob, session("over", calls=25, at=at(FIRST_KEPT) - 10 * 3600 - 10))
        process("usage")
        assert UsageEvent.objects.filter(session_id="over").count() == 15
        assert stored()["usage_daily"][:2] == pruned["usage_daily"][:2]

    def test_a_longer_retention_brings_nothing_back(self, pruned: dict[str, Any], settings: Any):
        settings.USAGE_EVENTS_RETENTION_DAYS = 1000
        assert "Removed 0 events" in command()
        rebuild_all()
        self.assert_as_before(pruned)


@pytest.mark.usefixtures("retention")
class TestNotYet:
    """No day freezes before its figures are final."""

    def test_what_is_pending_is_processed_first(self, bob: User):
        upload(bob, session("old", calls=3, at=at(FIRST_KEPT - timedelta(days=9))))
        command()
        assert not UsageEvent.objects.exists()
        assert [row[7] for row in stored()["usage_daily"]] == [3]

    def test_days_of_what_cannot_be_processed_wait(self, world: dict[str, Any], bob: User):
        """Until it is given up."""
        plant_transcript(bob, "its-file-is-gone", first_at=AT - timedelta(days=100))
        plant_transcript(bob, "and-another", first_at=AT)
        for _ in range(2):
            with pytest.raises(CommandError, match="What is from 2026-01-21 on waits"):
                command()
            assert UsageEvent.objects.count() == 27
        command()
        assert UsageEvent.objects.count() == 15

    def test_without_a_lake_nothing_goes(self, world: dict[str, Any], bob: User, monkeypatch: Any):
        def fail(*args: Any) -> None:
            raise LakeUnavailable("gone")

        upload(bob, session("another", at=at(FIRST_KEPT - timedelta(days=500))))
        with monkeypatch.context() as patch:
            patch.setattr(lake_publishing.PublishedLake, "replace", fail)
            with pytest.raises(CommandError, match="The lake cannot be reached"):
                command()
        assert UsageEvent.objects.count() == 31
        command()
        assert UsageEvent.objects.count() == 15

    def test_while_somebody_publishes_no_day_freezes(self, world: dict[str, Any]):
        assert Lease(*LEASE).take()
        outcome = pruning.prune(actor=None, seconds=0)
        assert (outcome.pruned_before, outcome.is_complete) == (None, False)
        assert UsageEvent.objects.count() == 30


@pytest.mark.usefixtures("retention")
class TestInTurns:
    def test_what_is_left_is_done_by_later_runs(self, world: dict[str, Any], alice: User, monkeypatch: Any):
        """One audit row says how much it was, and who asked for it."""
        monkeypatch.setattr(old_rows, "BATCH", 5)
        outcome = pruning.prune(actor=alice, seconds=0)
        assert (outcome.removed["events"], outcome.why_not) == (3, "Time is up.")
        assert not AuditLog.objects.filter(action="usage.prune").exists()
        monkeypatch.setattr(tasks, "UNFINISHED_SECONDS", 0)
        for _ in range(20):
            tasks.process_usage()
        assert not pruning.is_under_way()
        assert stored() == world
        assert in_lake() == in_database()
        row = AuditLog.objects.get(action="usage.prune")
        assert (row.actor, row.params["events"], row.params["messages"]) == (alice.pk, 15, 15)

    def test_two_at_once_are_one(self, world: dict[str, Any]):
        assert Lease(*pruning.LEASE).take()
        with pytest.raises(CommandError, match="Another worker is at it"):
            command()
        assert UsageEvent.objects.count() == 30


class TestOverHttp:
    @pytest.fixture
    def post(self, client: Client, alice: User, token_for: Callable[..., str]) -> Callable[..., Any]:
        headers = {"Authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
        return lambda query="": client.post(f"{URL}{query}", headers=headers)

    def test_it_says_why_nothing_goes(self, world: dict[str, Any], post: Callable[..., Any]):
        answer = post()
        assert answer.status_code == 200
        assert "USAGE_EVENTS_RETENTION_DAYS" in answer.json()["message"]
        assert answer.json()["retention_days"] == 0

    @pytest.mark.usefixtures("retention")
    def test_it_removes_and_counts(self, world: dict[str, Any], post: Callable[..., Any], alice: User):
        assert post("?dry_run=true").json()["events"] == 15
        assert UsageEvent.objects.count() == 30
        told = post().json()
        assert (told["events"], told["messages"], told["complete"]) == (15, 15, True)
        assert told["pruned_before"] == "2026-03-02"
        assert AuditLog.objects.get(action="usage.prune").actor == alice.pk

    @pytest.mark.usefixtures("retention")
    def test_202_where_it_takes_longer(
        self, world: dict[str, Any], post: Callable[..., Any], monkeypatch: Any
    ):
        monkeypatch.setattr(old_rows, "BATCH", 5)
        monkeypatch.setattr("telemetry.api.maintenance.RUN_SECONDS", 0)
        answer = post()
        assert (answer.status_code, answer.json()["message"]) == (202, "Time is up.")
