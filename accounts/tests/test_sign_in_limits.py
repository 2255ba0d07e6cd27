from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import sign_in_limits, tasks
from accounts.models import AuditLog, FailedSignIns, User

RIGHT = "correct horse battery staple"
TOO_MANY = "Too many failed sign-ins. Wait 5 minutes, then try again."


def try_to_sign_in(email: str, password: str = "wrong", **headers: str) -> str:
    """The page that answers; `in` for somebody who is in."""
    form = {"username": email, "password": password}
    answer = Client().post("/admin/login/?next=/admin/", form, headers=headers)
    return "in" if answer.status_code == 302 else answer.content.decode()


def fail(email: str, times: int) -> None:
    for _ in range(times):
        assert TOO_MANY not in try_to_sign_in(email)


def let_time_pass() -> None:
    FailedSignIns.objects.update(until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
class TestLimitPerAccount:
    def test_after_too_many_failures_even_the_right_password_waits(self, alice: User):
        fail("alice@example.com", sign_in_limits.ACCOUNT_LIMIT)
        assert TOO_MANY in try_to_sign_in("alice@example.com", RIGHT)
        assert TOO_MANY in try_to_sign_in(" Alice@Example.com ", RIGHT)
        let_time_pass()
        assert try_to_sign_in("alice@example.com", RIGHT) == "in"

    def test_an_account_that_does_not_exist_gets_the_same_answer(self):
        fail("nobody@example.com", sign_in_limits.ACCOUNT_LIMIT)
        assert TOO_MANY in try_to_sign_in("nobody@example.com")

    def test_other_accounts_are_not_concerned(self, alice: User, dana: User):
        fail("alice@example.com", sign_in_limits.ACCOUNT_LIMIT)
        assert try_to_sign_in("dana@example.com", RIGHT) == "in"

    def test_signing_in_forgets_the_failures(self, alice: User):
        for _ in range(2):
            fail("alice@example.com", sign_in_limits.ACCOUNT_LIMIT - 1)
            assert try_to_sign_in("alice@example.com", RIGHT) == "in"

    def test_waiting_impatiently_does_not_make_it_longer(self, alice: User):
        fail("alice@example.com", sign_in_limits.ACCOUNT_LIMIT)
        before = FailedSignIns.objects.filter(key__startswith="account:").values_list("until", flat=True)[0]
        try_to_sign_in("alice@example.com")
        assert FailedSignIns.objects.filter(key__startswith="account:", until=before).exists()

    def test_a_form_that_is_not_filled_in_does_not_count(self, alice: User):
        try_to_sign_in("alice@example.com", "")
        assert not FailedSignIns.objects.exists()

    def test_neither_emails_nor_addresses_are_kept(self, alice: User):
        fail("alice@example.com", 1)
        kept = str(FailedSignIns.objects.values())
        assert "alice" not in kept
        assert "127.0.0.1" not in kept

    def test_what_is_over_is_removed(self, alice: User):
        fail("one@example.com", 1)
        let_time_pass()
        fail("two@example.com", 1)
        assert FailedSignIns.objects.filter(key__startswith="account:").count() == 1


@pytest.mark.django_db
class TestLimitPerAddress:
    def test_trying_many_accounts_is_limited(self, alice: User):
        for number in range(sign_in_limits.ADDRESS_LIMIT):
            fail(f"person-{number}@example.com", 1)
        assert TOO_MANY in try_to_sign_in("alice@example.com", RIGHT)

    def test_signing_in_does_not_count(self, alice: User):
        for _ in range(3):
            assert try_to_sign_in("alice@example.com", RIGHT) == "in"
        assert set(FailedSignIns.objects.values_list("failures", flat=True)) == {0}

    def test_behind_a_proxy_clients_are_told_apart(self, alice: User, settings, monkeypatch):
        monkeypatch.setattr(sign_in_limits, "ADDRESS_LIMIT", 1)
        settings.PROXIES = 1
        try_to_sign_in("one@example.com", **{"X-Forwarded-For": "made up, 203.0.113.7"})
        assert TOO_MANY in try_to_sign_in("two@example.com", **{"X-Forwarded-For": "203.0.113.7"})
        assert try_to_sign_in("alice@example.com", RIGHT, **{"X-Forwarded-For": "203.0.113.8"}) == "in"

    def test_without_one_nobody_makes_up_an_address(self, alice: User, monkeypatch):
        monkeypatch.setattr(sign_in_limits, "ADDRESS_LIMIT", 1)
        try_to_sign_in("one@example.com", **{"X-Forwarded-For": "203.0.113.7"})
        assert TOO_MANY in try_to_sign_in("two@example.com", **{"X-Forwarded-For": "203.0.113.8"})

    def test_a_network_of_ipv6_is_one_client(self, monkeypatch, settings):
        monkeypatch.setattr(sign_in_limits, "ADDRESS_LIMIT", 1)
        settings.PROXIES = 1
        try_to_sign_in("one@example.com", **{"X-Forwarded-For": "2001:db8::1"})
        assert TOO_MANY in try_to_sign_in("two@example.com", **{"X-Forwarded-For": "2001:db8::2"})


@pytest.mark.django_db
class TestAudit:
    def rows(self) -> list[tuple[str, str, dict]]:
        return list(AuditLog.objects.order_by("pk").values_list("result", "target", "params"))

    def test_failures_leave_one_row_a_minute_that_counts_them(self, alice: User):
        target = f"user:{alice.pk}"
        fail("alice@example.com", 4)
        assert self.rows() == [("refused", target, {"failures": 1})]
        let_time_pass()
        fail("alice@example.com", 1)
        assert self.rows()[1:] == [("refused", target, {"failures": 4})]

    def test_accounts_that_do_not_exist_share_a_row(self):
        for number in range(5):
            fail(f"person-{number}@example.com", 1)
        assert self.rows() == [("refused", "", {"failures": 1})]

    def test_the_next_success_tells_of_failures_before_it(self, alice: User):
        fail("alice@example.com", 3)
        for _ in range(2):
            assert try_to_sign_in("alice@example.com", RIGHT) == "in"
        target = f"user:{alice.pk}"
        assert self.rows()[1:] == [("ok", target, {"failures": 2}), ("ok", target, {})]

    def test_the_end_of_a_burst_is_written_by_the_clock(self, alice: User, monkeypatch):
        fail("alice@example.com", 4)
        fail("nobody@example.com", 3)
        began = len(self.rows())
        tasks.record_failed_sign_ins()
        assert len(self.rows()) == began
        later = timezone.now() + sign_in_limits.AUDIT_PERIOD
        monkeypatch.setattr(timezone, "now", lambda: later)
        for _ in range(2):
            tasks.record_failed_sign_ins()
        target = f"user:{alice.pk}"
        assert self.rows()[began:] == [("refused", target, {"failures": 3}), ("refused", "", {"failures": 2})]
        assert AuditLog.objects.latest("pk").client_kind == "task"

    def test_what_the_limit_refuses_counts_too(self, alice: User):
        fail("alice@example.com", sign_in_limits.ACCOUNT_LIMIT)
        try_to_sign_in("alice@example.com")
        let_time_pass()
        try_to_sign_in("alice@example.com")
        assert self.rows()[-1][2] == {"failures": sign_in_limits.ACCOUNT_LIMIT + 1}


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_get_past_the_limit():
    def begin(number: int) -> bool:
        try:
            return sign_in_limits.begin("alice@example.com", f"203.0.113.{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(30))) == sign_in_limits.ACCOUNT_LIMIT
