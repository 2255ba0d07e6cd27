"""manage.py process_sessions"""

import os
import signal
from io import StringIO
from typing import NoReturn

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditLog, User
from telemetry.models import SessionProcessorClaim, SessionProcessorState, UsageEvent, VerificationFinding
from telemetry.processors import runner
from telemetry.processors.base import Job, Processor
from telemetry.processors.registry import PROCESSORS
from telemetry.tests.builders import assistant_line, tool_use, user_line
from telemetry.tests.planting import plant_transcript, store

pytestmark = pytest.mark.django_db
LINES = [user_line("Hello"), assistant_line([tool_use("Bash"), tool_use("Read")])]


def process(*args: str) -> str:
    out = StringIO()
    call_command("process_sessions", *args, stdout=out, stderr=out)
    return out.getvalue()


class TestProcessSessions:
    def test_it_processes_what_is_pending(self, bob: User):
        store(bob, *LINES)
        assert process().startswith("1 processed, 0 failed, 2 items")
        assert UsageEvent.objects.count() == 2
        assert process().startswith("0 processed, 0 failed, 0 items")
        assert set(AuditLog.objects.filter(action="usage.process").values_list("client_kind", "target")) == {
            ("command", "usage")
        }

    def test_it_runs_the_processor_it_is_told(self, bob: User):
        store(bob, user_line("Hello"), "{broken", user_line("Hello again"))
        assert process("--processor", "verification").startswith("1 processed, 0 failed")
        assert VerificationFinding.objects.filter(kind="malformed_line").exists()
        assert not UsageEvent.objects.exists()

    def test_an_unknown_processor_is_named_with_the_known_ones(self):
        with pytest.raises(CommandError, match=r"no processor 'nonsense'.* usage, verification"):
            process("--processor", "nonsense")

    def test_a_failure_is_told_and_is_the_exit_code(self, bob: User):
        plant_transcript(bob, "its-file-is-gone")
        store(bob, *LINES)
        with pytest.raises(CommandError, match="1 transcript failed") as raised:
            process()
        assert raised.value.returncode == 1
        assert UsageEvent.objects.count() == 2

    def test_what_was_given_up_is_not_passed_over(self, bob: User):
        plant_transcript(bob, "its-file-is-gone")
        for _ in range(3):
            with pytest.raises(CommandError, match="1 transcript failed"):
                process()
        store(bob, *LINES)
        assert "\n1 transcript waits for an operator (see the admin, Processor states)" in process()
        SessionProcessorState.objects.update(attempts=0, processed_at="2026-01-01T00:00:00Z")
        assert "operator" not in process()

    def test_it_waits_for_what_another_worker_holds(self, bob: User, monkeypatch):
        store(bob, *LINES)
        claim = SessionProcessorClaim.objects.create(
            processor_name="usage", user=bob, holder="another", expires_at="2999-01-01T00:00:00Z"
        )

        def the_other_worker_ends(seconds: float) -> None:
            SessionProcessorClaim.objects.filter(pk=claim.pk).update(expires_at=timezone.now())

        monkeypatch.setattr(runner, "sleep", the_other_worker_ends)
        assert process().startswith("1 processed")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_and_the_next_run_goes_on(self, bob: User, monkeypatch, number: signal.Signals):
        store(bob, *LINES)

        def extract(job: Job) -> NoReturn:
            os.kill(os.getpid(), number)
            raise AssertionError("not reached")

        before = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch:
            patch.setitem(PROCESSORS, "usage", Processor("usage", 1, extract))
            with pytest.raises(CommandError, match="Interrupted") as raised:
                process()
        assert raised.value.returncode == 130
        assert signal.getsignal(signal.SIGTERM) is before
        assert not SessionProcessorClaim.objects.exists()
        assert process().startswith("1 processed")
