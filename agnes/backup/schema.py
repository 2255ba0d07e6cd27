"""Migrations: those that a database has, and those that a backup was made with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from agnes.errors import BackupTooOld, MigrationsWait

Applied = dict[str, list[str]]
Node = tuple[str, str | None]


def applied(using: str = DEFAULT_DB_ALIAS) -> Applied:
    """Of the migrations that this version knows, those that the database has, by app."""
    loader = MigrationLoader(connections[using])
    found: Applied = {}
    for app, name in sorted(MigrationRecorder(connections[using]).applied_migrations()):
        if (app, name) in loader.disk_migrations:
            found.setdefault(app, []).append(name)
    return found


def unknown(migrations: Mapping[str, list[str]]) -> list[str]:
    known = _loader().disk_migrations
    return [
        f"{app}.{name}" for app, names in migrations.items() for name in names if (app, name) not in known
    ]


def missing(migrations: Mapping[str, list[str]]) -> list[str]:
    """What this version has and they have not."""
    has = {(app, name) for app, names in migrations.items() for name in names}
    return [f"{app}.{name}" for app, name in sorted(_loader().graph.nodes) if (app, name) not in has]


def require_current() -> None:
    """Raises MigrationsWait."""
    if missing(applied()):
        raise MigrationsWait


def bring_forward() -> None:
    call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def as_of(migrations: Mapping[str, list[str]]) -> Iterator[None]:
    """The empty database has just these migrations, and all of them again afterwards. Raises BackupTooOld."""
    if not missing(migrations):
        yield
        return
    try:
        _go_back(migrations)
        yield
    finally:
        bring_forward()


def _go_back(migrations: Mapping[str, list[str]]) -> None:
    executor = MigrationExecutor(connection)
    try:
        executor.migrate(_leaves(executor.loader, migrations))
    except IrreversibleError as error:
        raise BackupTooOld(f"its schema cannot be made here ({error})") from error


def _leaves(loader: MigrationLoader, migrations: Mapping[str, list[str]]) -> list[Node]:
    """For each app the last of its migrations, or None where it has none."""
    leaves: list[Node] = []
    for app in sorted(loader.migrated_apps):
        nodes = {(app, name) for name in migrations.get(app, [])}
        before = {parent.key for node in nodes for parent in loader.graph.node_map[node].parents}
        leaves += sorted(nodes - before) or [(app, None)]
    return leaves


def _loader() -> MigrationLoader:
    return MigrationLoader(connection)
