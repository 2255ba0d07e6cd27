"""The schema number of the lake must rise with every change of its tables: a lake of the same number is kept.

When this test fails, raise SCHEMA in telemetry/lake/tables.py and write both new values here.
"""

import hashlib

from telemetry.lake.tables import SCHEMA, TABLES

PINNED = (1, "410748bf68279e2e")


def test_the_number_rises_with_every_change_of_a_table():
    described = "\n".join(
        f"{table.name} {table.moment} {table.order} {list(table.columns.items())}" for table in TABLES
    )
    assert (SCHEMA, hashlib.sha256(described.encode()).hexdigest()[:16]) == PINNED
