"""POST /api/admin/run-session-processor"""

from time import monotonic

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.api import admin as admin_api
from telemetry.models import SessionProcessorClaim, SessionProcessorState, UsageEvent
from telemetry.processors import runner
from telemetry.tests.builders import assistant_line, tool_use, user_line
from telemetry.tests.intake.conftest import error_of
from telemetry.tests.planting import plant_transcript, store

pytestmark = pytest.mark.django_db
URL = "/api/admin/run-session-processor"


@pytest.fixture(autouse=True)
def one_transcript(bob: User) -> None:
    store(bob, user_line("Hello"), assistant_line([tool_use("Bash"), tool_use("Read")]))


@pytest.fixture
def call(client: Client, alice: User, token_for):
    token = token_for(alice, Scope.ADMIN)
    return lambda query="": client.post(f"{URL}{query}", headers={"authorization": f"Bearer {token}"})


class TestRunSessionProcessor:
    def test_it_processes_what_is_pending(self, call):
        began = monotonic()
        answer = call()
        took = monotonic() - began
        assert answer.status_code == 200
        report = answer.json()
        assert 0 < report.pop("seconds") < took
        assert report == {
            "processed": 1, "failed": 0, "items": 2, "published_days": 1, "left": False, "given_up": 0
        }  # fmt: skip
        assert UsageEvent.objects.count() == 2
        assert call().json()["processed"] == 0

    def test_it_runs_the_processor_it_is_told(self, call):
        assert call("?processor=verification").json()["processed"] == 1
        assert SessionProcessorState.objects.get().processor_name == "verification"

    def test_it_is_audited(self, call, alice: User):
        call()
        row = AuditLog.objects.get(action="usage.process")
        assert (row.actor, row.target, row.client_kind) == (alice.pk, "usage", "api")
        assert row.params["processed"] == 1

    @pytest.mark.parametrize("name", ["nonsense", "", "usage%00"])
    def test_an_unknown_processor_is_wrong_input(self, call, name: str):
        answer = call(f"?processor={name}")
        error = error_of(answer)
        assert (answer.status_code, error["code"]) == (422, "unknown_processor")
        assert error["fields"] == {"processor": "one of usage, verification"}
        assert "usage, verification" in error["hint"]
        assert not AuditLog.objects.filter(action="usage.process").exists()

    def test_it_goes_on_when_one_fails_and_says_that_it_is_left(self, call, bob: User):
        broken = plant_transcript(bob, "its-file-is-gone")
        for left, given_up in ((True, 0), (True, 0), (False, 1)):
            report = call().json()
            assert (report["failed"], report["left"], report["given_up"]) == (1, left, given_up)
        state = SessionProcessorState.objects.get(session_file=broken.session_file)
        assert (state.attempts, "is missing: upload" in str(state.last_error)) == (3, True)
        again = call().json()
        assert (again["failed"], again["given_up"]) == (0, 1)

    def test_it_is_cut_so_that_the_request_ends(self, call, monkeypatch):
        monkeypatch.setattr(admin_api, "RUN_SECONDS", 0.000_001)
        report = call().json()
        assert (report["processed"], report["left"]) == (0, True)

    def test_it_leaves_to_other_workers_what_they_hold(self, call, bob: User):
        SessionProcessorClaim.objects.create(
            processor_name="usage", user=bob, holder="another", expires_at="2999-01-01T00:00:00Z"
        )
        report = call().json()
        assert (report["processed"], report["left"]) == (0, True)

    def test_by_get_it_does_nothing(self, client: Client):
        assert client.get(URL).status_code == 405


class TestWhoMay:
    @pytest.fixture
    def signed_in(self):
        def client_of(person: User, *, enforce_csrf_checks: bool = False) -> Client:
            client = Client(enforce_csrf_checks=enforce_csrf_checks)
            client.force_login(person)
            return client

        return client_of

    def test_a_signed_in_admin_may(self, signed_in, alice: User):
        assert signed_in(alice).post(URL).json()["processed"] == 1

    def test_not_from_another_site(self, signed_in, alice: User):
        answer = signed_in(alice, enforce_csrf_checks=True).post(URL)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "not_allowed")

    def test_staff_with_the_permission_may(self, signed_in, dana: User):
        assert signed_in(dana).post(URL).status_code == 403
        dana.user_permissions.add(Permission.objects.get(codename="manage_processing"))
        assert signed_in(User.objects.get(pk=dana.pk)).post(URL).status_code == 200

    def test_the_permission_alone_is_not_enough(self, signed_in, bob: User):
        bob.user_permissions.add(Permission.objects.get(codename="manage_processing"))
        assert signed_in(bob).post(URL).status_code == 403

    def test_nobody_else_may(self, client: Client, alice: User, bob: User, token_for, signed_in):
        assert client.post(URL).status_code == 401
        assert signed_in(bob).post(URL).status_code == 403
        for person, scope in ((alice, Scope.UPLOAD), (alice, Scope.READ), (bob, Scope.ADMIN)):
            headers = {"authorization": f"Bearer {token_for(person, scope)}"}
            assert client.post(URL, headers=headers).status_code == 403, (person, scope)
        assert not UsageEvent.objects.exists()


def test_the_cut_leaves_time_for_what_is_at_work():
    """A request is given up by common proxies after 60 s."""
    assert admin_api.RUN_SECONDS + runner.WAIT_SECONDS < 30
