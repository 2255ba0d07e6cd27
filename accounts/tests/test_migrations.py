import pytest
from django.core.management import call_command
from django.db import connection

from accounts import audit, audit_triggers
from accounts.tests.test_audit_log import refuses


def triggers() -> set[str]:
    source = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_log'::regclass",
    }
    with connection.cursor() as cursor:
        cursor.execute(source[connection.vendor])
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
class TestMigrations:
    def test_after_all_of_them_the_audit_log_has_its_triggers(self):
        expected = {"sqlite": audit_triggers.SQLITE, "postgresql": audit_triggers.POSTGRESQL}
        assert triggers() == set(expected[connection.vendor])

    def test_a_migrate_brings_back_what_a_remade_table_lost(self):
        name = sorted(triggers())[0]
        on = " ON audit_log" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {name}{on}")
        call_command("migrate", verbosity=0)
        assert name in triggers()
        audit.record("auth.login")
        assert refuses("DELETE FROM audit_log")

    def test_nothing_is_left_to_migrate(self):
        call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
