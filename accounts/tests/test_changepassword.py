from collections.abc import Callable
from io import StringIO
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from accounts.models import AuditLog, User

pytestmark = pytest.mark.django_db
NEW = "a quite new password 7"
OLD = "correct horse battery staple"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What the terminal gives, one line a question."""

    def lines(*answers: str | BaseException) -> None:
        monkeypatch.setattr("getpass.getpass", Mock(side_effect=answers))

    return lines


def change(email: str = "bob@example.com") -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("changepassword", email, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def rows() -> list[AuditLog]:
    return list(AuditLog.objects.filter(action="auth.password_change"))


class TestChangePassword:
    def test_it_changes_the_password_and_stands_in_the_audit_log(self, bob: User, client, typed):
        typed(NEW, NEW)
        out, _ = change("Bob@Example.com")
        assert "bob@example.com" in out
        [row] = rows()
        assert (row.target, row.client_kind, row.actor) == (f"user:{bob.pk}", "command", None)
        assert row.params == {}
        assert client.login(username="bob@example.com", password=NEW)

    def test_it_asks_again_when_they_differ_or_are_too_simple(self, bob: User, client, typed):
        typed(NEW, "another", "12345", "12345", NEW, NEW)
        _, err = change()
        assert "not the same" in err
        assert "too short" in err
        assert len(rows()) == 1
        assert client.login(username="bob@example.com", password=NEW)

    def test_it_gives_up_after_three_attempts(self, bob: User, client, typed):
        typed(*["1", "2"] * 3, NEW, NEW)
        with pytest.raises(CommandError, match="nothing was changed"):
            change()
        assert rows() == []
        assert client.login(username="bob@example.com", password=OLD)

    @pytest.mark.parametrize("answer", ["", EOFError(), KeyboardInterrupt()], ids=["", "Ctrl-D", "Ctrl-C"])
    def test_nothing_typed_ends_it(self, bob: User, typed, answer: str | BaseException):
        typed(answer)
        with pytest.raises(CommandError, match="nothing was changed"):
            change()

    def test_an_unknown_person(self, bob: User):
        with pytest.raises(CommandError, match="check the spelling"):
            change("nobody@example.com")

    def test_both_are_written_or_neither(self, bob: User, client, typed, monkeypatch):
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(audit, "record", fail)
        typed(NEW, NEW)
        with pytest.raises(RuntimeError):
            change()
        monkeypatch.undo()
        assert client.login(username="bob@example.com", password=OLD)
