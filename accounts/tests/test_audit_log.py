import pytest
from django.db import DatabaseError, connection, transaction

from accounts import audit, audit_triggers
from accounts.errors import AppendOnly
from accounts.models import AuditLog, User

pytestmark = pytest.mark.django_db


class TestRecord:
    def test_it_takes_door_request_and_actor_from_the_context(self, alice: User):
        with audit.context("task", actor=alice, request_id="r-1"):
            audit.record("usage.prune", target="day:2026-01-01", params={"rows": 3})
        row = AuditLog.objects.get()
        assert (row.actor, row.action, row.target) == (alice.pk, "usage.prune", "day:2026-01-01")
        assert (row.client_kind, row.request_id, row.result) == ("task", "r-1", "ok")
        assert row.params == {"rows": 3}

    def test_a_named_actor_wins(self, alice: User, bob: User):
        with audit.context("command", actor=alice):
            assert audit.record("token.revoke", actor=bob).actor == bob.pk

    def test_outside_any_context_it_is_a_command_by_nobody(self):
        row = audit.record("usage.prune")
        assert (row.client_kind, row.actor) == ("command", None)

    def test_a_context_ends_even_when_its_work_fails(self):
        with pytest.raises(ZeroDivisionError), audit.context("task"):
            _ = 1 / 0
        assert audit.current().client_kind == "command"

    def test_it_refuses_an_unknown_door(self):
        with pytest.raises(ValueError, match="fax"), audit.context("fax"):
            pass


class TestAppendOnlyInTheOrm:
    def test_rows_are_not_changed(self):
        row = audit.record("auth.login")
        row.action = "nothing"
        with pytest.raises(AppendOnly):
            row.save()
        with pytest.raises(AppendOnly):
            AuditLog.objects.all().update(action="nothing")
        with pytest.raises(AppendOnly):
            AuditLog.objects.bulk_update([row], ["action"])

    def test_rows_are_not_deleted(self):
        row = audit.record("auth.login")
        with pytest.raises(AppendOnly):
            row.delete()
        with pytest.raises(AppendOnly):
            AuditLog.objects.all().delete()


def refuses(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return audit_triggers.REFUSAL in str(error)
    return False


class TestAppendOnlyInSql:
    """The triggers, as all migrations of the project leave them."""

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE audit_log SET action = 'nothing'",
            "DELETE FROM audit_log",
            "DELETE FROM audit_log WHERE 1=1",
        ],
    )
    def test_rows_are_neither_changed_nor_deleted(self, sql: str):
        audit.record("auth.login")
        assert refuses(sql)
        assert AuditLog.objects.get().action == "auth.login"

    @pytest.mark.skipif("connection.vendor != 'postgresql'")
    def test_the_table_is_not_truncated(self):
        assert refuses("TRUNCATE audit_log")

    @pytest.mark.skipif("connection.vendor != 'sqlite'")
    def test_rows_are_not_replaced(self):
        row = audit.record("auth.login")
        assert refuses(
            "REPLACE INTO audit_log (id, at, action, target, params, result, client_kind, request_id)"
            f" VALUES ({row.pk}, '2026-01-01', 'nothing', '', '{{}}', 'ok', 'web', '')"
        )

    def test_installing_them_again_changes_nothing(self):
        audit_triggers.install("default")
        audit_triggers.install("default")
        audit.record("auth.login")
        assert refuses("DELETE FROM audit_log")


@pytest.mark.django_db(transaction=True)
class TestTheTestRunner:
    """Twice the same test: the second finds an empty table, and the triggers back."""

    @pytest.mark.parametrize("time", [1, 2])
    def test_it_empties_the_log_between_tests_with_real_transactions(self, time: int):
        assert not AuditLog.objects.exists()
        audit.record("auth.login")
        assert refuses("DELETE FROM audit_log")
        if connection.vendor == "postgresql":
            assert refuses("TRUNCATE audit_log")
