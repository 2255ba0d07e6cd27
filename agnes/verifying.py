"""What `manage.py verify` compares of this installation: everything that is there twice, in full.

`manage.py doctor` looks for what should not be there, and is quick. This reads all of it.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import zstandard
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef

from accounts.diagnosis import Finding, some_of
from agnes.backup.files import NamedFile, count_named, named_files
from telemetry.charts import counted
from telemetry.database.bulk import fetch
from telemetry.days import DayRange
from telemetry.errors import LakeChanged, LakeNotBuilt, LakeUnavailable
from telemetry.files.storage import read_stored
from telemetry.frozen_days import frozen_before, is_frozen
from telemetry.lake.reading import open_lake
from telemetry.lake.tables import TABLES
from telemetry.management.progress import OnStep
from telemetry.models import SessionTranscript, UsageDirtyDay, UsageEvent, UsageMessage, UsageSessionSummary
from telemetry.rollups.rebuilding import DAILY_ROLLUPS, days_with_rows

REBUILD = "Run `manage.py lake_rebuild`: it makes figures and lake anew."
LAKE_MEMORY = "256MB"


@dataclass(frozen=True)
class Check:
    title: str
    find: Callable[[OnStep], Iterable[Finding]]


def database(on_step: OnStep) -> Iterator[Finding]:
    """Pages, where it is SQLite, and references between tables."""
    if connection.vendor == "sqlite":
        told = [str(row[0]) for row in fetch("PRAGMA integrity_check(5)")]
        if told != ["ok"]:
            yield Finding(f"The database is damaged: {some_of(told)}.", "Restore a backup.")
    try:
        connection.check_constraints()
    except IntegrityError as error:
        yield Finding(f"The database has rows that refer to none: {error}", "Restore a backup.")


def stored_files(on_step: OnStep) -> Iterator[Finding]:
    """Every byte: a transcript's name is the hash of its content, and a zip has checksums."""
    total = count_named()
    broken = []
    for number, file in enumerate(named_files(), 1):
        on_step("Stored files", number, total)
        if not _is_whole(file) and file.is_still_named():
            broken.append(file.key)
    if broken:
        yield Finding(
            f"{counted(len(broken), 'stored file')} missing or damaged: {some_of(broken)}.",
            "Restore a backup, or have the sessions uploaded again.",
        )


def _is_whole(file: NamedFile) -> bool:
    try:
        if file.key.endswith(".zip"):
            with default_storage.open(file.key) as stored, zipfile.ZipFile(stored) as pack:
                return pack.testzip() is None
        digest = hashlib.sha256()
        for chunk in read_stored(file.key):
            digest.update(chunk)
    except (FileNotFoundError, zstandard.ZstdError, zipfile.BadZipFile):
        return False
    return digest.hexdigest() == file.key.rpartition("/")[2].partition(".")[0]


def extracted(on_step: OnStep) -> Iterator[Finding]:
    """Rows of transcripts that are not there."""
    there = Exists(SessionTranscript.objects.filter(session_file=OuterRef("session_file")))
    for model in (UsageEvent, UsageMessage, UsageSessionSummary):
        if orphans := model._default_manager.filter(~there).count():
            yield Finding(
                f"{counted(orphans, 'row')} of {model._meta.db_table} without a transcript.",
                "Run `manage.py usage_reprocess`: it extracts everything anew.",
            )


def figures(on_step: OnStep) -> Iterator[Finding]:
    """Every roll-up, with what its definition gives now; frozen days have nothing to be compared with."""
    before = frozen_before()
    months = list(_months(day for day in days_with_rows() if not is_frozen(day, before)))
    wrong = []
    for number, month in enumerate(months, 1):
        on_step("Months of figures", number, len(months))
        wrong += [
            f"{rollup.model._meta.db_table} from {month.first} to {month.last}"
            for rollup in DAILY_ROLLUPS
            if rollup.differs(month)
        ]
    if wrong:
        yield Finding(f"Figures that are not those of the events: {some_of(wrong)}.", REBUILD)


def _months(days: Iterable[date]) -> Iterator[DayRange]:
    for _, of_month in groupby(sorted(days), key=lambda day: (day.year, day.month)):
        some = list(of_month)
        yield DayRange(some[0], some[-1])


def lake(on_step: OnStep) -> Iterator[Finding]:
    """As many rows in each table as in the database."""
    wrong = []
    try:
        with open_lake(memory_limit=LAKE_MEMORY) as connected:
            for table in TABLES:
                [(rows,)] = connected.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()
                stored = table.model._default_manager.count()
                if rows != stored:
                    wrong.append(f"{table.name} has {rows} rows instead of {stored}")
    except LakeNotBuilt:
        return
    except (LakeChanged, LakeUnavailable) as error:
        yield Finding(error.message, error.hint)
    if wrong:
        yield Finding(f"The lake is not the database: {some_of(wrong)}.", REBUILD)


ALWAYS = (Check("Database", database), Check("Stored files", stored_files), Check("Extracted", extracted))
# While something waits to be published they differ, and rightly so.
WHEN_PUBLISHED = (Check("Figures", figures), Check("Lake", lake))


def something_waits() -> bool:
    return UsageDirtyDay.objects.exists()
