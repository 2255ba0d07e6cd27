"""Tables without rows, and what must be right once they have rows again."""

from django.db import connection

from accounts import audit_triggers
from agnes.backup.tables import all_table_names
from telemetry.database.bulk import execute, fetch
from telemetry.models import LakeSnapshot


def empty_tables() -> None:
    """All of them, the audit log included; call it in a transaction.

    The lake's row stays: it says which lake is this installation's.
    """
    names = [connection.ops.quote_name(name) for name in _there() if name != LakeSnapshot._meta.db_table]
    audit_triggers.lift(connection.alias)
    if connection.vendor == "postgresql":
        # Whoever is still at work waits for the end of the transaction.
        execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
    else:
        for name in names:
            execute(f"DELETE FROM {name}")
    audit_triggers.install(connection.alias)


def reset_sequences() -> None:
    """The next id of each table is above those that it has. SQLite looks for itself."""
    if connection.vendor != "postgresql":
        return
    for name, column in fetch(_IDENTITIES):
        table, quoted = connection.ops.quote_name(name), connection.ops.quote_name(column)
        highest = f"SELECT max({quoted}) AS id FROM {table}"
        execute(
            f"SELECT setval(pg_get_serial_sequence(%s, %s), id) FROM ({highest}) AS highest"
            " WHERE id IS NOT NULL",
            (table, column),
        )


_IDENTITIES = """
SELECT table_name, column_name FROM information_schema.columns
WHERE is_identity = 'YES' AND table_schema = current_schema()
"""


def _there() -> list[str]:
    """An older schema lacks some."""
    there = set(connection.introspection.table_names())
    return [name for name in all_table_names() if name in there]
