"""The lake's files, held against what its tables and the database say of them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.template.defaultfilters import filesizeformat

from accounts.diagnosis import Finding, some_of
from telemetry.charts import counted
from telemetry.errors import LakeChanged, LakeNotBuilt, LakeUnavailable, PublisherBusy
from telemetry.files.spool import size_of
from telemetry.lake import caching, reading
from telemetry.lake.door import locate
from telemetry.lake.location import cache_folder, is_remote
from telemetry.lake.tables import TABLES
from telemetry.leases import Lease, held
from telemetry.publishing import LEASE

REBUILD = "Run `manage.py lake_rebuild`: it makes the lake anew from the database."


def examine(min_age: timedelta) -> Iterator[Finding]:
    """Readers may need old files for a day: `min_age` is best no less while anybody reads."""
    yield from _unneeded_copies()
    try:
        snapshot = reading.current_snapshot()
        located = locate(snapshot)
        hours = int(min_age.total_seconds() // 3600)
        unknown = _unknown_files(hours)
    except LakeNotBuilt:
        return
    except LakeChanged:
        yield Finding("The lake's tables lack versions or files that the database names.", REBUILD)
        return
    except LakeUnavailable as error:
        yield Finding(error.message, error.hint)
        return
    sizes = {path: size for table in located for path, size in table.items()}
    if damaged := sorted(path for path, size in sizes.items() if size_of(Path(path)) != size):
        yield Finding(
            f"{counted(len(damaged), 'file')} of the lake missing or cut short: {_names(damaged)}.", REBUILD
        )
    if unknown:
        yield Finding(
            f"{counted(len(unknown), 'file')} in the lake that no table knows: {some_of(unknown)}.",
            "A publisher that was killed left them: remove them with --fix.",
            lambda: _remove(hours),
        )


def _unneeded_copies() -> Iterator[Finding]:
    """Of a bucket that is the lake no more. They hold what people did, and no deletion finds them."""
    cache = cache_folder()
    if is_remote() or not cache.exists():
        return
    yield Finding(
        f"Copies of the files of a bucket that is not the lake any more ({filesizeformat(size_of(cache))}).",
        "Remove them with --fix.",
        lambda: _remove_copies(cache),
    )


def _remove_copies(cache: Path) -> str:
    caching.remove_all(cache)
    return "Removed the copies."


def _unknown_files(hours: int) -> list[str]:
    """Files that were written and never became part of a table. Raises LakeUnavailable."""
    # Only here: it takes 60 MB.
    from telemetry.lake.vacuuming import unknown_files

    return [f"{table.name}/{path}" for table in TABLES for path in unknown_files(table, hours)]


def _remove(hours: int) -> str:
    from telemetry.lake.publishing import PublishedLake

    lease = Lease(*LEASE)
    with held(lease) as ours:
        if not ours:
            raise PublisherBusy
        PublishedLake(lease).vacuum(lease, hours=hours)
    return "Removed the files that no table knows, and those of old versions."


def _names(paths: list[str]) -> str:
    return some_of([Path(path).name for path in paths])
