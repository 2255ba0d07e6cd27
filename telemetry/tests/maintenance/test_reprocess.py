"""Having everything extracted anew: what goes, what stays, and what comes again."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from accounts.models import AuditLog, Scope, User
from telemetry import tasks
from telemetry.leases import Lease
from telemetry.maintenance import reprocess
from telemetry.maintenance.reprocess import Mode
from telemetry.models import (
    ReprocessState,
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageSessionSummary,
    VerificationFinding,
)
from telemetry.processors import wakeup
from telemetry.processors.processing import process
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.processing.test_runner import session, state
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db
URL = "/api/admin/usage/reprocess"


@pytest.fixture
def world(bob: User, charlie: User) -> dict[str, Any]:
    """Two people's sessions, processed by both processors and published; what there is of them."""
    upload(bob, session("s1", calls=3) + b"{broken\n")
    upload(bob, session("s2", calls=2, at=86_400))
    upload(charlie, session("s3", calls=1))
    process("usage")
    process("verification")
    return everything(bob, charlie)


def everything(*people: User) -> dict[str, Any]:
    return {"usage": [usage_of(person) for person in people], "rollups": stored()}


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("usage_reprocess", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def assert_empty() -> None:
    """No rows, no figures, here and in the lake."""
    assert not UsageEvent.objects.exists()
    assert not UsageSessionSummary.objects.exists()
    assert not SessionProcessorState.objects.filter(processor_name="usage").exists()
    assert not any(stored().values())
    assert not any(in_lake().values())


class TestAtOnce:
    def test_all_of_usage_goes_and_comes_again(self, world: dict[str, Any], bob: User, charlie: User):
        command()
        assert_empty()
        process("usage")
        assert everything(bob, charlie) == world
        assert stored() == expected()
        assert in_lake() == in_database()

    def test_what_the_verification_found_is_not_touched(self, world: dict[str, Any]):
        rows: list[Any] = [
            VerificationFinding.objects,
            SessionProcessorState.objects.filter(processor_name="verification"),
        ]
        before = [list(it.order_by("pk").values()) for it in rows]
        assert all(before)
        command()
        assert [list(it.order_by("pk").values()) for it in rows] == before
        assert process("verification").processed == 0

    def test_the_worker_is_asked_and_does_it_by_itself(self, world: dict[str, Any], bob: User, charlie: User):
        OrmQ.objects.all().delete()
        wakeup.note_started()
        command()
        assert OrmQ.objects.get().task["func"] == "telemetry.tasks.process_pending"
        tasks.process_pending()
        assert everything(bob, charlie) == world

    def test_what_was_given_up_gets_new_attempts(self, world: dict[str, Any]):
        SessionProcessorState.objects.filter(processor_name="usage", session_file__contains="s1").update(
            processed_at=None, attempts=3, last_error="no"
        )
        command()
        assert process("usage").processed == 3

    def test_it_is_audited_with_counts(self, world: dict[str, Any]):
        command()
        row = AuditLog.objects.get(action="usage.reprocess")
        counts = {"events": 6, "messages": 6, "summaries": 3, "items": 0, "states": 3}
        assert counts.items() <= row.params.items()
        assert row.params["rollups"] == sum(
            len(rows) for name, rows in world["rollups"].items() if name != "usage_plugin_window"
        )
        assert (row.params["mode"], row.params["transcripts"], row.client_kind) == ("at_once", 3, "command")

    def test_rows_of_transcripts_that_are_gone_go_too(self, world: dict[str, Any]):
        transcript = SessionTranscript.objects.get(session_id="s3")
        SessionTranscript.objects.filter(pk=transcript.pk).delete()
        command()
        assert_empty()

    def test_a_dry_run_changes_nothing(self, world: dict[str, Any], bob: User, charlie: User):
        told = command("--dry-run")
        assert "Would remove 6 events, 6 messages, 3 summaries" in told
        assert "3 transcripts" in told
        assert everything(bob, charlie) == world
        assert not AuditLog.objects.filter(action="usage.reprocess").exists()
        assert not ReprocessState.objects.exists()

    def test_with_nothing_there_it_does_nothing(self, db: None):
        assert "Removed 0 events" in command()


class TestSessionBySession:
    def test_no_row_is_missing_at_any_moment(
        self, world: dict[str, Any], bob: User, charlie: User, monkeypatch: Any
    ):
        """After every transcript that is processed anew, the figures are those of before."""
        told = command("--session-by-session")
        assert "Nothing is removed beforehand" in told
        assert everything(bob, charlie) == world
        seen = []
        process("usage", on_progress=lambda report: seen.append(everything(bob, charlie)))
        assert len(seen) > 2
        assert all(it == world for it in seen)

    def test_every_transcript_is_extracted_anew(self, world: dict[str, Any]):
        UsageEvent.objects.update(tool_name="Wrong")
        command("--session-by-session")
        assert process("usage").processed == 3
        assert set(UsageEvent.objects.values_list("tool_name", flat=True)) == {"Bash"}
        assert stored() == expected()
        assert AuditLog.objects.get(action="usage.reprocess").params["mode"] == "by_session"

    def test_the_verification_has_nothing_to_do(self, world: dict[str, Any]):
        command("--session-by-session")
        assert process("verification").processed == 0


class TestGoingOn:
    """Longer work than a request or a task has time for, and killed work."""

    @pytest.fixture(autouse=True)
    def one_at_a_time(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(reprocess, "BATCH", 1)

    def test_it_is_cut_and_the_tasks_go_on(self, world: dict[str, Any], bob: User, charlie: User):
        outcome = reprocess.reprocess(Mode.AT_ONCE, actor=None, seconds=0)
        assert not outcome.is_complete
        assert UsageSessionSummary.objects.count() == 2
        tasks.process_usage()
        assert not reprocess.is_under_way()
        process("usage")
        assert everything(bob, charlie) == world

    def test_the_same_asked_again_goes_on_where_it_was(self, world: dict[str, Any]):
        reprocess.reprocess(Mode.AT_ONCE, actor=None, seconds=0)
        process("usage")
        done = state("s1").processed_at
        assert reprocess.reprocess(Mode.AT_ONCE, actor=None).is_complete
        assert state("s1").processed_at == done

    def test_once_it_is_finished_it_begins_anew(self, world: dict[str, Any]):
        command()
        process("usage")
        command()
        assert_empty()

    def test_another_worker_that_is_at_it_is_not_disturbed(self, world: dict[str, Any]):
        reprocess.begin(Mode.AT_ONCE, actor=None)
        assert Lease(*reprocess.LEASE).take()
        OrmQ.objects.all().delete()
        assert not reprocess.go_on()
        assert UsageSessionSummary.objects.count() == 3
        # A run is planned for when its lease has expired, rather than one after another until then.
        assert not OrmQ.objects.exists()
        assert Schedule.objects.filter(name=wakeup.PLANNED).exists()

    def test_a_transcript_that_comes_meanwhile_is_left_alone(self, world: dict[str, Any], bob: User):
        reprocess.reprocess(Mode.AT_ONCE, actor=None, seconds=0)
        upload(bob, session("new"))
        process("usage")
        assert reprocess.go_on()
        assert UsageEvent.objects.filter(session_id="new").exists()


class TestOverHttp:
    @pytest.fixture
    def post(self, client: Client, alice: User, token_for: Callable[..., str]) -> Callable[..., Any]:
        headers = {"Authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
        return lambda query="": client.post(f"{URL}{query}", headers=headers)

    def test_it_answers_with_the_counts(self, world: dict[str, Any], post: Callable[..., Any], alice: User):
        answer = post()
        assert answer.status_code == 200, answer.content
        told = answer.json()
        assert told["removed"]["events"] == 6
        assert (told["complete"], told["waiting"], told["dry_run"]) == (True, 3, False)
        assert_empty()
        row = AuditLog.objects.get(action="usage.reprocess")
        assert (row.actor, row.client_kind) == (alice.pk, "api")

    def test_a_dry_run_changes_nothing(self, world: dict[str, Any], post: Callable[..., Any]):
        told = post("?dry_run=true").json()
        assert (told["removed"]["events"], told["dry_run"]) == (6, True)
        assert stored() == world["rollups"]

    def test_session_by_session(self, world: dict[str, Any], post: Callable[..., Any]):
        told = post("?session_by_session=true").json()
        assert (told["mode"], told["removed"]["events"], told["waiting"]) == ("by_session", 0, 3)
        assert stored() == world["rollups"]

    def test_202_where_it_takes_longer(
        self, world: dict[str, Any], post: Callable[..., Any], monkeypatch: Any
    ):
        monkeypatch.setattr(reprocess, "BATCH", 1)
        monkeypatch.setattr("telemetry.api.maintenance.RUN_SECONDS", 0)
        answer = post()
        assert (answer.status_code, answer.json()["complete"]) == (202, False)
        tasks.process_pending()
        assert not reprocess.is_under_way()


class TestSystemCheck:
    """A raised USAGE_PROCESSOR_VERSION is told to whoever runs the server."""

    def warnings(self) -> list[CheckMessage]:
        return [message for message in run_checks() if message.id == "telemetry.W001"]

    def test_it_names_the_command(self, world: dict[str, Any], monkeypatch: Any):
        assert self.warnings() == []
        monkeypatch.setattr("telemetry.checks.USAGE_PROCESSOR_VERSION", 2)
        [warning] = self.warnings()
        assert "manage.py usage_reprocess" in str(warning.hint)

    @pytest.mark.parametrize("mode", Mode)
    def test_it_is_silent_once_that_was_run(self, mode: Mode, world: dict[str, Any], monkeypatch: Any):
        monkeypatch.setattr("telemetry.checks.USAGE_PROCESSOR_VERSION", 2)
        reprocess.reprocess(mode, actor=None)
        assert self.warnings() == []

    def test_what_cannot_be_extracted_again_is_not_told(self, world: dict[str, Any], monkeypatch: Any):
        SessionTranscript.objects.update(content_removed_at=timezone.now())
        monkeypatch.setattr("telemetry.checks.USAGE_PROCESSOR_VERSION", 2)
        assert self.warnings() == []


class TestTranscriptsWhoseFilesAreGone:
    @pytest.mark.parametrize("mode", Mode)
    def test_their_rows_stay(self, mode: Mode, world: dict[str, Any], bob: User, charlie: User):
        SessionTranscript.objects.filter(owner=charlie).update(content_removed_at=timezone.now())
        outcome = reprocess.reprocess(mode, actor=None)
        assert (outcome.plan.transcripts, outcome.plan.kept) == (2, 1)
        assert usage_of(charlie) == world["usage"][1]
        assert stored() == expected()
        process("usage")
        assert everything(bob, charlie) == world
