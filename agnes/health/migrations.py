from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Key = tuple[str, str]


def missing() -> list[str]:
    """The last migration of each app that the database lacks, such as "telemetry.0008_unsettled"."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(".".join(key) for key in _last_of_each_app() if key not in applied)


@cache
def _last_of_each_app() -> tuple[Key, ...]:
    """Read from the disk once: the code of a process does not change."""
    return tuple(MigrationLoader(None).graph.leaf_nodes())
