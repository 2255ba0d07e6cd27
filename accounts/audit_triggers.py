"""Triggers that refuse UPDATE, DELETE and TRUNCATE of the audit log, whoever asks.

Installed after every `migrate`, not by a migration: SQLite drops a table's triggers when Django remakes
the table, which any later migration of it may do. A migration that must change old rows therefore drops
the trigger first, and finds it back afterwards.
"""

from typing import Any

from django.db import connections, router

from accounts.models import AuditLog

TABLE = "audit_log"
REFUSAL = "audit_log is append-only"

# `INSERT OR REPLACE` removes the old row without firing DELETE triggers, hence the third.
SQLITE = {
    "audit_log_no_update": "BEFORE UPDATE ON audit_log",
    "audit_log_no_delete": "BEFORE DELETE ON audit_log",
    "audit_log_no_replace": (
        "BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)"
    ),
}
POSTGRESQL = {
    "audit_log_no_change": "BEFORE UPDATE OR DELETE ON audit_log",
    "audit_log_no_truncate": "BEFORE TRUNCATE ON audit_log",
}
POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$
"""


def install(using: str) -> None:
    """Safe to run again; does nothing on a database without the table."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor):
            cursor.execute(statement)


def lift(using: str) -> None:
    """Take them away, in a transaction that ends with `install`: who rolls back has them again as well."""
    connection = connections[using]
    assert connection.in_atomic_block
    names = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.vendor]
    of_table = "" if connection.vendor == "sqlite" else f" ON {TABLE}"
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{of_table}")


def _statements(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {name} {event} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for name, event in SQLITE.items()
        ]
    if vendor == "postgresql":
        return [POSTGRESQL_FUNCTION] + [
            f"CREATE OR REPLACE TRIGGER {name} {event} FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
            for name, event in POSTGRESQL.items()
        ]
    raise NotImplementedError(f"No audit triggers for {vendor}: use SQLite or PostgreSQL.")


def install_after_migrate(using: str, **signal: Any) -> None:
    if router.allow_migrate_model(using, AuditLog):
        install(using)
