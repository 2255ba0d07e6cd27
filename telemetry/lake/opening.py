"""Open the tables as the last publish left them, or start a lake anew."""

import logging
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from django.utils import timezone
from pyarrow.fs import FileSelector

from telemetry.database.transactions import one_snapshot
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeUnavailable
from telemetry.lake.location import prepare, storage_options, table_url
from telemetry.lake.rows import table_schema
from telemetry.lake.store_errors import writing_to_the_store
from telemetry.lake.tables import PARTITION, SCHEMA, TABLES, LakeTable
from telemetry.lake.together import together
from telemetry.lake.writing import COMMIT, NO_HOOKS, OpenTable
from telemetry.leases import Lease
from telemetry.models import LakeSnapshot, PublishingState
from telemetry.models.publishing import ROW
from telemetry.rollups.rebuilding import days_with_rows

log = logging.getLogger(__name__)
# Every table's description begins so.
MARK = "Agnes "
# The schema of a database that has no lake: its id is known before a table is made that names it.
NO_LAKE = 0
CONFIGURATION = {
    # Old versions are kept for a day, for readers that have them open.
    "delta.deletedFileRetentionDuration": "interval 1 days",
    "delta.logRetentionDuration": "interval 1 days",
    # No values of columns in the log, whoever writes: it outlives the rows.
    "delta.dataSkippingNumIndexedCols": "0",
}


class _Unusable(Exception):
    """Why the lake must be built anew."""


def open_tables(lease: Lease, *, take_over: bool = False) -> dict[str, OpenTable]:
    """All tables with what the last publish left in them.

    A lake that is not there is started anew: its tables are empty then, and all days are marked. With
    `take_over` so is one of another database, and damaged tables are thrown away. Raises LakeUnavailable,
    also where the lake is somebody else's, and ClaimLost.
    """
    snapshot, _ = LakeSnapshot.objects.get_or_create(pk=ROW, defaults={"schema": NO_LAKE})
    with writing_to_the_store():
        try:
            return _open(snapshot, take_over)
        except _Unusable as reason:
            level = logging.INFO if snapshot.schema == NO_LAKE else logging.WARNING
            log.log(level, "The lake is built anew: %s.", reason)
            return _start_anew(snapshot, lease)


def _start_anew(snapshot: LakeSnapshot, lease: Lease) -> dict[str, OpenTable]:
    """Empty tables, and all days marked. What there is stays for a day, for readers that have it open."""
    prepare()
    created = together(partial(_create, snapshot.lake_id), TABLES)
    tables = {table.table.name: table for table in created}
    values = {
        "schema": SCHEMA,
        "versions": versions_of(tables),
        "is_complete": False,
        "vacuumed_at": timezone.now(),
        "rebuilding_since": None,
    }
    with one_snapshot():
        lease.renew()
        LakeSnapshot.objects.filter(pk=ROW).update(**values)
        PublishingState.objects.update(windows_day=None)
        mark_dirty({None, *days_with_rows()})
    return tables


def versions_of(tables: Mapping[str, OpenTable]) -> dict[str, int]:
    return {name: table.version for name, table in tables.items()}


def _open(snapshot: LakeSnapshot, take_over: bool) -> dict[str, OpenTable]:
    # All of them, before anything is written anywhere.
    found = dict(zip(TABLES, together(partial(_find, snapshot, take_over), TABLES), strict=True))
    if snapshot.schema == NO_LAKE:
        raise _Unusable("this database has none yet")
    if snapshot.schema != SCHEMA:
        raise _Unusable(f"it has schema {snapshot.schema}, and this version of Agnes writes {SCHEMA}")
    opened = together(lambda table: _open_table(snapshot, table, found[table]), TABLES)
    return {table.table.name: table for table in opened}


def _find(snapshot: LakeSnapshot, take_over: bool, table: LakeTable) -> DeltaTable | None:
    """None if it is missing, or damaged and thrown away. Raises LakeUnavailable where it is not ours."""
    try:
        delta = DeltaTable(table_url(table.name), storage_options=storage_options())
    except TableNotFoundError:
        return None
    except DeltaError:
        # The store answered (it would be an OSError otherwise), with something that is no Delta table.
        if not take_over:
            raise
        _throw_away(table)
        return None
    _check_owner(snapshot, delta.metadata().description or "", take_over)
    return delta


def _check_owner(snapshot: LakeSnapshot, description: str, take_over: bool) -> None:
    if not description.startswith(MARK):
        raise LakeUnavailable("it holds tables of something else.", "Choose another AGNES_LAKE_URL.")
    if not description.endswith(f" {snapshot.lake_id}") and not take_over:
        raise LakeUnavailable(
            "it belongs to another database of Agnes.",
            "Choose another AGNES_LAKE_URL, or run `manage.py lake_rebuild`, which takes it over.",
        )


def _open_table(snapshot: LakeSnapshot, table: LakeTable, delta: DeltaTable | None) -> OpenTable:
    if delta is None:
        raise _Unusable(f"its table {table.name} is missing")
    if delta.metadata().description != _description(table, snapshot.lake_id):
        raise _Unusable(f"its table {table.name} was written from another database")
    version = snapshot.versions.get(table.name)
    if delta.version() != version:
        _restore(delta, table, version)
    return OpenTable(table, delta)


def _restore(delta: DeltaTable, table: LakeTable, version: int) -> None:
    """Undo what a transaction left behind that was rolled back."""
    try:
        newest = sorted(delta.file_uris())
        delta.load_as_version(version)
        same = sorted(delta.file_uris()) == newest
        delta.update_incremental()
        if not same:
            delta.restore(version, commit_properties=COMMIT)
    except DeltaError as error:
        raise _Unusable(f"version {version} of its table {table.name} is gone") from error


def _create(lake_id: UUID, table: LakeTable) -> OpenTable:
    delta = DeltaTable.create(
        table_url(table.name),
        schema=table_schema(table),
        mode="overwrite",
        partition_by=[PARTITION] if table.moment else None,
        description=_description(table, lake_id),
        configuration=CONFIGURATION,
        storage_options=storage_options(),
        post_commithook_properties=NO_HOOKS,
    )
    return OpenTable(table, delta)


def _throw_away(table: LakeTable) -> None:
    files = DeltaStorageHandler(table_url(table.name), storage_options())
    for file in files.get_file_info_selector(FileSelector("", allow_not_found=True, recursive=True)):
        if file.is_file:
            files.delete_file(file.path)


def _description(table: LakeTable, lake_id: UUID) -> str:
    return f"{MARK}{table.name}, schema {SCHEMA}, lake {lake_id}"
