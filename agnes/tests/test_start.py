import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from accounts.models import AuditLog, User
from agnes import schedules
from agnes.management.commands import start
from agnes.supervisor import Supervisor
from agnes.tests.server import Server, descendants, environment_without_agnes, is_alive, wait_until
from telemetry.demo import world
from telemetry.demo.people import DOMAIN

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.mark.slow
@pytest.mark.sample
class TestStart:
    def test_it_runs_both_stops_both_and_keeps_the_data(self, tmp_path: Path):
        with Server({**environment_without_agnes(), "AGNES_DATA_DIR": str(tmp_path)}) as server:
            password = server.password() or ""
            with server.signed_in("admin@example.com", password) as client:
                assert client.get("/admin/").status_code == 200
            children = descendants(server.process.pid)
            assert any("gunicorn" in command for command in children.values())
            workers = [pid for pid, command in children.items() if "qcluster" in command]
            ours = os.getpriority(os.PRIO_PROCESS, 0)
            assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in workers} == {min(ours + 10, 19)}

            assert server.stop() == 0
            assert server.output.rstrip().endswith("Stopped.")
            assert not [pid for pid in children if is_alive(pid)]

            server.start()
            assert server.password() is None
            assert "changepassword admin@example.com" in server.output
            with server.signed_in("admin@example.com", password):
                children = descendants(server.process.pid)
            server.process.kill()
            wait_until(lambda: not any(is_alive(pid) for pid in children), 20)
            assert not [pid for pid in children if is_alive(pid)], "kill -9 left orphans"


class TestRefusals:
    def test_it_says_when_the_port_is_taken(self, settings):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            settings.AGNES_BIND = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(CommandError, match=r"AGNES_BIND=127\.0\.0\.1:8001 make run"):
                call_command("start")


@pytest.mark.django_db
class TestDemoOnFirstStart:
    def test_it_is_wanted_on_an_empty_server(self):
        assert start.wants_demo()

    def test_it_is_not_wanted_again_after_it_was_removed(self):
        person = User.objects.create_user(f"lena@{DOMAIN}")
        person.groups.add(Group.objects.create(name=world.GROUP))
        call_command("demo", "--clean", verbosity=0)
        assert not start.wants_demo()

    def test_removing_what_was_never_there_leaves_it_wanted(self, capsys: pytest.CaptureFixture[str]):
        call_command("demo", "--clean")
        assert capsys.readouterr().out == "There is no demo to remove.\n"
        assert not AuditLog.objects.exists()
        assert start.wants_demo()


class TestSupervisor:
    def supervisor(self, tmp_path: Path) -> Supervisor:
        return Supervisor(folder=tmp_path, grace_seconds=5)

    def test_it_stops_everything_when_told(self, tmp_path: Path):
        supervisor = self.supervisor(tmp_path)
        ended = supervisor.run(
            {"one": SLEEPER, "two": SLEEPER},
            is_ready=lambda: True,
            on_ready=lambda: os.kill(os.getpid(), signal.SIGTERM),
        )
        assert ended == ""
        assert [child.process.poll() for child in supervisor.children] == [-signal.SIGTERM] * 2

    def test_it_stops_the_others_when_one_ends(self, tmp_path: Path):
        supervisor = self.supervisor(tmp_path)
        ended = supervisor.run(
            {"sleeper": SLEEPER, "gone": [sys.executable, "-c", ""]},
            is_ready=lambda: False,
            on_ready=lambda: None,
        )
        assert ended == "gone"
        assert supervisor.children[0].process.poll() == -signal.SIGTERM

    def test_it_kills_what_does_not_end(self, tmp_path: Path):
        ready = tmp_path / "ready"
        stubborn = (
            "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
        )
        supervisor = Supervisor(folder=tmp_path, grace_seconds=0.3)
        supervisor.run(
            {"stubborn": [sys.executable, "-c", stubborn]},
            is_ready=ready.exists,
            on_ready=lambda: os.kill(os.getpid(), signal.SIGINT),
        )
        assert supervisor.children[0].process.poll() == -signal.SIGKILL

    def test_it_gives_the_signals_back(self, tmp_path: Path):
        before = signal.getsignal(signal.SIGTERM)
        self.supervisor(tmp_path).run(
            {"gone": [sys.executable, "-c", ""]}, is_ready=lambda: False, on_ready=lambda: None
        )
        assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.django_db
class TestSchedules:
    def test_it_makes_the_declared_rows(self, settings):
        settings.SCHEDULER_USAGE_PROCESSOR_INTERVAL = 1800
        settings.SCHEDULER_MARKETPLACE_SYNC_INTERVAL = 7200
        call_command("sync_schedules", verbosity=0)
        rows = Schedule.objects.order_by("name").values_list(
            "name", "func", "schedule_type", "minutes", "repeats"
        )
        assert list(rows) == [
            ("agnes: clear sessions", "accounts.tasks.clear_sessions", "I", 1440, -1),
            ("agnes: collect served repositories", "marketplace.tasks.collect_served", "I", 60, -1),
            ("agnes: process usage", "telemetry.tasks.process_usage", "I", 30, -1),
            ("agnes: process verification", "telemetry.tasks.process_verification", "I", 30, -1),
            ("agnes: prune usage", "telemetry.tasks.prune_usage", "I", 1440, -1),
            ("agnes: re-attribute", "marketplace.tasks.reattribute", "I", 30, -1),
            ("agnes: record failed sign-ins", "accounts.tasks.record_failed_sign_ins", "I", 10, -1),
            ("agnes: remove stray uploads", "marketplace.tasks.remove_stray_packs", "I", 1440, -1),
            ("agnes: sync marketplaces", "marketplace.tasks.sync_all", "I", 120, -1),
        ]

    def test_what_is_declared_exists(self):
        assert all(callable(import_string(every.func)) for every in schedules.declared())

    def test_it_leaves_the_next_run_of_known_rows(self):
        schedules.sync()
        before = dict(Schedule.objects.values_list("pk", "next_run"))
        schedules.sync()
        assert dict(Schedule.objects.values_list("pk", "next_run")) == before

    def test_it_sets_an_edited_row_right_and_drops_copies(self):
        schedules.sync()
        row = Schedule.objects.order_by("pk")[0]
        Schedule.objects.filter(pk=row.pk).update(args="word", minutes=1)
        Schedule.objects.create(name=row.name, func="telemetry.tasks.process_usage")
        schedules.sync()
        row.refresh_from_db()
        assert (row.args, row.minutes) == (None, 10)
        assert Schedule.objects.count() == len(schedules.declared())

    def test_it_removes_what_is_no_longer_declared_and_leaves_an_operators_rows(self):
        Schedule.objects.create(name="agnes: of old", func="telemetry.tasks.gone")
        Schedule.objects.create(name="mine", func="telemetry.tasks.process_usage")
        schedules.sync()
        names = set(Schedule.objects.values_list("name", flat=True))
        assert "mine" in names
        assert "agnes: of old" not in names

    def test_every_task_exists(self):
        from django.utils.module_loading import import_string

        assert all(callable(import_string(every.func)) for every in schedules.declared())
