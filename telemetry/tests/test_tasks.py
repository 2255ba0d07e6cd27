"""The task that uploads ask for, and how often they ask."""

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from accounts.models import User
from telemetry import tasks
from telemetry.dirty_days import mark_dirty
from telemetry.leases import Lease
from telemetry.models import SessionProcessorState, UsageDirtyDay, UsageEvent, VerificationFinding
from telemetry.processors import wakeup
from telemetry.processors.claims import Claim
from telemetry.processors.processing import process
from telemetry.tests.builders import assistant_line, tool_use, user_line
from telemetry.tests.figures import upload
from telemetry.tests.kills.servers import task_worker
from telemetry.tests.planting import store
from telemetry.tests.processing.test_runner import session

PATIENCE_SECONDS = 30

pytestmark = pytest.mark.django_db


class TestAsking:
    def test_a_burst_of_uploads_queues_one_run(self, bob: User, charlie: User):
        upload(bob, session("s1"))
        upload(bob, session("s2"))
        upload(charlie, session("s3"))
        assert OrmQ.objects.count() == 1

    def test_an_upload_after_the_run_began_queues_another(self, bob: User):
        upload(bob, session("s1"))
        wakeup.note_started()
        upload(bob, session("s2"))
        upload(bob, session("s3"))
        assert OrmQ.objects.count() == 2

    def test_an_upload_that_changes_nothing_queues_nothing(self, bob: User):
        upload(bob, session("s1"))
        wakeup.note_started()
        assert upload(bob, session("s1")) == "same"
        assert OrmQ.objects.count() == 1

    def test_a_lost_task_is_forgotten_after_a_while(self, bob: User, monkeypatch: pytest.MonkeyPatch):
        began = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: began)
        upload(bob, session("s1"))
        OrmQ.objects.all().delete()
        monkeypatch.setattr(timezone, "now", lambda: began + wakeup.FORGET_AFTER)
        upload(bob, session("s2"))
        assert not OrmQ.objects.exists()
        monkeypatch.setattr(timezone, "now", lambda: began + wakeup.FORGET_AFTER + timedelta(seconds=1))
        upload(bob, session("s3"))
        upload(bob, session("s4"))
        assert OrmQ.objects.count() == 1

    def test_an_upload_that_is_rolled_back_leaves_no_task(self, bob: User, monkeypatch: pytest.MonkeyPatch):
        def request_and_fail() -> None:
            wakeup_request()
            assert OrmQ.objects.exists()
            raise ConnectionError("the database went away")

        wakeup_request = wakeup.request_runs
        with monkeypatch.context() as patch:
            patch.setattr(wakeup, "request_runs", request_and_fail)
            with pytest.raises(ConnectionError):
                upload(bob, session("s1"))
        assert not OrmQ.objects.exists()
        assert upload(bob, session("s1")) == "new"
        assert OrmQ.objects.count() == 1


class TestProcessPending:
    def test_what_is_queued_runs_both_processors(self, bob: User):
        store(bob, user_line(), assistant_line([tool_use("Bash"), tool_use("Read")]), "{broken", user_line())
        reports = import_string(OrmQ.objects.get().task["func"])()
        assert [(name, report["processed"]) for name, report in reports.items()] == [
            ("usage", 1),
            ("verification", 1),
        ]
        assert UsageEvent.objects.filter(user=bob).count() == 2
        assert VerificationFinding.objects.filter(kind="malformed_line").exists()
        done = SessionProcessorState.objects.exclude(processed_at=None)
        assert set(done.values_list("processor_name", flat=True)) == {"usage", "verification"}

    def test_an_upload_during_the_run_queues_another(self, bob: User, monkeypatch: pytest.MonkeyPatch):
        upload(bob, session("s1"))
        OrmQ.objects.all().delete()

        def upload_and_run(*args: Any, **options: Any) -> Any:
            upload(bob, session("s2"))
            return process(*args, **options)

        monkeypatch.setattr(tasks, "process", upload_and_run)
        tasks.process_pending()
        assert OrmQ.objects.count() == 1

    def test_a_run_that_is_done_queues_nothing(self, bob: User):
        upload(bob, session("s1"))
        OrmQ.objects.all().delete()
        tasks.process_pending()
        assert not OrmQ.objects.exists()

    def test_a_run_out_of_time_queues_one_to_go_on(self, bob: User, monkeypatch: pytest.MonkeyPatch):
        upload(bob, session("s1"))
        OrmQ.objects.all().delete()
        with monkeypatch.context() as patch:
            patch.setattr(tasks, "RUN_SECONDS", 1e-9)
            assert tasks.process_pending()["usage"]["out_of_time"]
        assert not UsageEvent.objects.exists()
        import_string(OrmQ.objects.get().task["func"])()
        assert UsageEvent.objects.exists()


class TestPlanning:
    """A worker that is killed takes its task along: a run is planned for when its claim has expired."""

    @pytest.fixture
    def after_the_claim(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> datetime:
        """The clock stands still. The moment at which every claim of now has expired."""
        now = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: now)
        return now + timedelta(seconds=settings.PROCESSOR_CLAIM_SECONDS)

    def planned(self) -> list[datetime]:
        return list(Schedule.objects.filter(func=wakeup.TASK).values_list("next_run", flat=True))

    def assert_planned_just_after(self, moment: datetime) -> None:
        [next_run] = self.planned()
        assert moment < next_run <= moment + timedelta(seconds=2)

    def test_a_run_whose_work_another_worker_holds_plans_one(self, bob: User, after_the_claim: datetime):
        upload(bob, session("s1"))
        Schedule.objects.all().delete()
        assert Claim("usage", bob.pk).take()
        tasks.process_usage()
        self.assert_planned_just_after(after_the_claim)

    def test_so_does_one_that_leaves_publishing_to_another(self, bob: User, after_the_claim: datetime):
        upload(bob, session("s1"))
        process("usage")
        Schedule.objects.all().delete()
        mark_dirty({date(2026, 5, 1)})
        assert Lease("publishing_lease", {"what": "usage"}).take()
        tasks.process_usage()
        assert UsageDirtyDay.objects.exists()
        self.assert_planned_just_after(after_the_claim)

    def test_so_does_an_upload_whose_task_may_be_lost(self, bob: User, after_the_claim: datetime):
        upload(bob, session("s1"))
        self.assert_planned_just_after(after_the_claim)

    def test_there_is_never_more_than_one(self, bob: User, after_the_claim: datetime):
        for name in ("s1", "s2"):
            upload(bob, session(name))
            Claim("usage", bob.pk).take()
            tasks.process_pending()
        self.assert_planned_just_after(after_the_claim)

    def test_a_later_claim_moves_it(self, bob: User, after_the_claim: datetime, monkeypatch):
        upload(bob, session("s1"))
        later = timezone.now() + timedelta(seconds=40)
        monkeypatch.setattr(timezone, "now", lambda: later)
        tasks.process_usage()
        self.assert_planned_just_after(after_the_claim + timedelta(seconds=40))

    def test_one_run_after_the_last_claim_is_enough(self, bob: User, after_the_claim: datetime, monkeypatch):
        """A run that finds the work held comes back just when it is free, not a whole claim later."""
        upload(bob, session("s1"))
        assert Claim("usage", bob.pk).take()
        soon = timezone.now() + timedelta(seconds=40)
        monkeypatch.setattr(timezone, "now", lambda: soon)
        tasks.process_usage()
        self.assert_planned_just_after(after_the_claim)

    def test_a_run_with_nothing_to_do_plans_none(self, bob: User):
        upload(bob, session("s1"))
        tasks.process_pending()
        Schedule.objects.all().delete()
        tasks.process_pending()
        assert self.planned() == []

    def test_the_declared_schedules_leave_it_alone(self, bob: User):
        upload(bob, session("s1"))
        call_command("sync_schedules", verbosity=0)
        assert len(self.planned()) == 1


class TestClearingUp:
    def test_the_scheduled_run_removes_what_killed_uploads_left(self, settings: Any):
        spool = settings.SPOOL_DIR
        spool.mkdir()
        day = 24 * 3600
        for name, age in (("old.jsonl.zst", day + 60), ("new.jsonl.zst", day - 60), ("other.txt", day + 60)):
            (spool / name).write_bytes(b"")
            os.utime(spool / name, times=(time.time() - age,) * 2)
        tasks.process_usage()
        assert {path.name for path in spool.iterdir()} == {"new.jsonl.zst", "other.txt"}

    def test_and_what_killed_exports_and_queries_left(self, settings: Any):
        spool = settings.SPOOL_DIR
        old, new = time.time() - 25 * 3600, time.time()
        for name, written in (("export-a", old), ("duckdb-a", old), ("export-b", new), ("other", old)):
            file = spool / name / "duckdb-b" / "block.tmp"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"x")
            os.utime(file, (written, written))
            # What is written deep in a folder does not touch the folder.
            for folder in (file.parent, spool / name):
                os.utime(folder, (old, old))
        tasks.process_usage()
        assert {path.name for path in spool.iterdir()} == {"export-b", "other"}

    def test_without_a_spool_folder_there_is_nothing_to_remove(self, settings: Any):
        tasks.process_usage()
        assert not settings.SPOOL_DIR.exists()


@pytest.mark.django_db(transaction=True)
class TestWorker:
    @pytest.fixture
    def worker(self, settings: Any) -> Iterator[None]:
        """The real one, in a process of its own."""
        worker = task_worker(settings)
        worker.start()
        yield
        worker.kill()

    def test_an_uploaded_session_is_processed_after_one_tick(self, bob: User, worker: None):
        upload(bob, session("s1", calls=3))
        done = SessionProcessorState.objects.exclude(processed_at=None)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while done.count() < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert set(done.values_list("processor_name", flat=True)) == {"usage", "verification"}
        assert UsageEvent.objects.filter(user=bob, session_id="s1").count() == 3
