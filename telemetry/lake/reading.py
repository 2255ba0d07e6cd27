"""Open the lake as the last publish left it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet

from telemetry.errors import LakeChanged, LakeNotBuilt, LakeUnavailable
from telemetry.lake import caching
from telemetry.lake.door import connect
from telemetry.lake.location import cache_folder, is_remote, storage_options, table_url
from telemetry.lake.snapshot import Snapshot, TableSnapshot
from telemetry.lake.store_errors import reason_of
from telemetry.lake.tables import SCHEMA, TABLES, LakeTable
from telemetry.models import LakeSnapshot, PublishingState

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def current_snapshot() -> Snapshot:
    """Raises LakeNotBuilt."""
    # Before the versions: they hold what is published as of then, or more.
    as_of = PublishingState.objects.values_list("as_of", flat=True).first()
    lake = _complete_lakes().first()
    if lake is None:
        raise LakeNotBuilt
    return Snapshot(
        tables=tuple(_table_snapshot(table, lake.versions[table.name]) for table in TABLES),
        storage_options=storage_options(),
        cache=str(cache_folder()) if is_remote() else None,
        as_of=as_of.isoformat() if as_of else None,
        purged_at=lake.purged_at.isoformat() if lake.purged_at else None,
    )


@contextmanager
def open_lake(
    *tables: str, memory_limit: str, threads: int | None = None, writes: Sequence[str] = ()
) -> "Iterator[DuckDBPyConnection]":
    """The door (telemetry/lake/door.py) on the current snapshot, with these tables, or all.

    Raises LakeNotBuilt, LakeChanged and LakeUnavailable.
    """
    snapshot = current_snapshot()
    opened = snapshot.only(*tables) if tables else snapshot
    spill = settings.SPOOL_DIR
    try:
        with connect(
            opened, memory_limit=memory_limit, threads=threads, spill=spill, writes=writes
        ) as connection:
            yield connection
    except LakeChanged as error:
        check_damage(opened, error)
        raise


def sweep_copies() -> None:
    """Remove this machine's copies of a bucket's files that are older than the last deletion for privacy, or
    were not used for a day."""
    cache = cache_folder()
    if not cache.exists():
        return
    purged_at = LakeSnapshot.objects.values_list("purged_at", flat=True).first()
    caching.sweep(cache, purged_at.isoformat() if purged_at else None)


def check_damage(snapshot: Snapshot, error: LakeChanged) -> None:
    """Raises LakeUnavailable where starting again would not help: what is gone is still needed."""
    of_cache = snapshot.cache is not None and error.in_copies
    versions = _complete_lakes().values_list("versions", flat=True).first() or {}
    if not of_cache and all(versions.get(table.name) == table.version for table in snapshot.tables):
        raise LakeUnavailable(reason_of(error.__cause__ or error)) from error


def _complete_lakes() -> QuerySet[LakeSnapshot]:
    return LakeSnapshot.objects.filter(schema=SCHEMA, is_complete=True)


def _table_snapshot(table: LakeTable, version: int) -> TableSnapshot:
    return TableSnapshot(
        name=table.name,
        url=table_url(table.name),
        version=version,
        columns={name: str(kind) for name, kind in table.columns.items()},
        partitioned=table.moment is not None,
    )
