"""Open the tables as the last publish left them, or start a lake anew."""

import logging
from collections.abc import Mapping
from functools import partial
from uuid import UUID, uuid4

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from django.utils import timezone
from pyarrow.fs import FileSelector

from telemetry.dirty_days import mark_dirty
from telemetry.lake.location import prepare, storage_options, table_url
from telemetry.lake.rows import table_schema
from telemetry.lake.tables import PARTITION, SCHEMA, TABLES, LakeTable
from telemetry.lake.together import together
from telemetry.lake.writing import COMMIT, NO_HOOKS, OpenTable, reaching_the_lake
from telemetry.leases import Lease
from telemetry.models import LakeSnapshot, PublishingState
from telemetry.rollups.rebuilding import days_with_rows
from telemetry.transactions import one_snapshot

logger = logging.getLogger(__name__)
ROW = 1
CONFIGURATION = {
    # Old versions are kept for a day, for readers that have them open.
    "delta.deletedFileRetentionDuration": "interval 1 days",
    "delta.logRetentionDuration": "interval 1 days",
    # No values of columns in the log, whoever writes: it outlives the rows.
    "delta.dataSkippingNumIndexedCols": "0",
}


class _Unusable(Exception):
    """Why the lake must be built anew."""


def open_tables(lease: Lease) -> dict[str, OpenTable]:
    """All tables with what the last publish left in them.

    A lake that is not there, or not this database's, is started anew: its tables are empty then, and all days
    are marked. Raises LakeUnavailable, ClaimLost.
    """
    with reaching_the_lake():
        try:
            return _open(LakeSnapshot.objects.filter(pk=ROW).first())
        except _Unusable as reason:
            logger.warning("The lake is built anew: %s.", reason)
            return start_anew(lease)


def start_anew(lease: Lease, *, throw_away: bool = False) -> dict[str, OpenTable]:
    """Empty tables, and all days marked. Raises LakeUnavailable, ClaimLost.

    What there is stays for a day, for readers that have it open, unless it is thrown away.
    """
    with reaching_the_lake():
        prepare()
        if throw_away:
            together(_throw_away, TABLES)
        lake_id = uuid4()
        created = together(partial(_create, lake_id), TABLES)
    tables = {table.table.name: table for table in created}
    values = {
        "lake_id": lake_id,
        "schema": SCHEMA,
        "versions": versions_of(tables),
        "is_complete": False,
        "vacuumed_at": timezone.now(),
        "rebuilding_since": None,
    }
    with one_snapshot():
        lease.renew()
        LakeSnapshot.objects.update_or_create(pk=ROW, defaults=values)
        PublishingState.objects.update(windows_day=None)
        mark_dirty({None, *days_with_rows()})
    return tables


def versions_of(tables: Mapping[str, OpenTable]) -> dict[str, int]:
    return {name: table.version for name, table in tables.items()}


def _open(snapshot: LakeSnapshot | None) -> dict[str, OpenTable]:
    if snapshot is None:
        raise _Unusable("this database has none yet")
    if snapshot.schema != SCHEMA:
        raise _Unusable(f"it has schema {snapshot.schema}, and this version of Agnes writes {SCHEMA}")
    opened = together(partial(_open_table, snapshot), TABLES)
    return {table.table.name: table for table in opened}


def _open_table(snapshot: LakeSnapshot, table: LakeTable) -> OpenTable:
    try:
        delta = DeltaTable(table_url(table.name), storage_options=storage_options())
    except TableNotFoundError:
        raise _Unusable(f"its table {table.name} is missing") from None
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
    return f"Agnes {table.name}, schema {SCHEMA}, lake {lake_id}"
