"""Removal of what no snapshot needs any more: the files of old versions, and old entries of the log.

Runs after the transaction that published, when the newest version of each table is the snapshot's.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

from deltalake import DeltaTable

from telemetry.lake import caching
from telemetry.lake.half_written import half_written, remove_half_written
from telemetry.lake.location import cache_folder, storage_options, table_url
from telemetry.lake.store_errors import reading_the_store, writing_to_the_store
from telemetry.lake.tables import LakeTable
from telemetry.lake.together import together
from telemetry.lake.writing import NO_HOOKS, OpenTable

# For so long, readers may go on with a version that was replaced.
KEPT_HOURS = 24
PAUSE = timedelta(hours=1)
# A reader of the log begins at the newest checkpoint.
COMMITS_BETWEEN_CHECKPOINTS = 32


def remove_old_files(tables: Iterable[OpenTable], *, hours: int = KEPT_HOURS) -> None:
    """Also files that never became part of a table. Raises LakeUnavailable."""
    with writing_to_the_store():
        together(partial(_vacuum, hours), tables)


def _vacuum(hours: int, table: OpenTable) -> None:
    table.delta.vacuum(
        retention_hours=hours,
        enforce_retention_duration=False,
        dry_run=False,
        full=True,
        post_commithook_properties=NO_HOOKS,
    )
    # It notes in the log what it did.
    table.refresh()
    remove_half_written(table.table.name, hours)


def unknown_files(table: LakeTable, hours: int) -> list[str]:
    """Files older than that of which the table's log says nothing: whoever wrote them died over it.

    Raises LakeChanged, LakeUnavailable.
    """
    with reading_the_store():
        delta = DeltaTable(table_url(table.name), storage_options=storage_options())
        known, all_unneeded = (_unneeded(delta, hours, full=full) for full in (False, True))
        folder = Path(table_url(table.name))
        halves = {str(path.relative_to(folder)) for path in half_written(table.name, hours)}
    return sorted((all_unneeded - known) | halves)


def _unneeded(delta: DeltaTable, hours: int, *, full: bool) -> set[str]:
    return set(delta.vacuum(retention_hours=hours, enforce_retention_duration=False, dry_run=True, full=full))


def remove_copies() -> None:
    """This machine's copies of a remote lake's files; what is still needed is fetched again."""
    caching.remove_all(cache_folder())


def shorten_log(table: OpenTable, *, since: int) -> None:
    """Sum up the log now and then, and remove its entries older than a day. Raises LakeUnavailable."""
    if table.version // COMMITS_BETWEEN_CHECKPOINTS == since // COMMITS_BETWEEN_CHECKPOINTS:
        return
    with writing_to_the_store():
        table.delta.create_checkpoint()
        table.delta.cleanup_metadata()
