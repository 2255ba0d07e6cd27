"""So that nobody who asks whose an identifier is, and writes the answer, is overlooked by re-attribution.

SQLite's transactions write one after another, and there is nothing to do. On PostgreSQL a transaction may
have read the attribution before it changed, and commit its events after they were looked for.
"""

from django.db import connection, transaction

from telemetry.database.bulk import fetch

# Any numbers that no other advisory lock of ours has.
_READING, _WRITING = 4_027_183, 4_027_184


def attribute_in_this_transaction() -> None:
    """Call it before reading the attribution of rows that the same transaction writes."""
    if connection.vendor == "postgresql":
        fetch("SELECT pg_advisory_xact_lock_shared(%s)", (_READING,))


def wait_for_attributing_transactions() -> None:
    """When this returns, whoever read the attribution before is done: what they wrote can be seen.

    Call it outside a transaction, and after the attribution's change was committed.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic():
            fetch("SELECT pg_advisory_xact_lock(%s)", (_READING,))


def write_attribution_alone() -> None:
    """Call it before reading what the tables shall hold: until the transaction ends no other one may."""
    if connection.vendor == "postgresql":
        fetch("SELECT pg_advisory_xact_lock(%s)", (_WRITING,))
