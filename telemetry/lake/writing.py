"""Replace the rows of some days in a table of the lake.

The files are written here and not by `deltalake`, which would mix up the order of a day's rows; the log is
written by `deltalake`.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from tempfile import SpooledTemporaryFile
from time import time
from typing import IO, cast
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from django.utils import timezone

from telemetry.files.spool import spool_folder
from telemetry.lake.location import storage_options, table_url
from telemetry.lake.rows import batches, file_schema, table_schema
from telemetry.lake.store_errors import writing_to_the_store
from telemetry.lake.tables import PARTITION, LakeTable

# Rows that a file holds together. DuckDB reads with one thread a group; while writing they are in memory.
ROWS_IN_GROUP = 20_480
# A new file waits for its upload in memory up to this size, in bytes.
KEPT_IN_MEMORY = 256 << 10
# What is sent at once, and what it is put together from.
CHUNK = 8 << 20
PIECE = 1 << 20
# How the path of a partition says NULL, in the whole world of Hive tables.
NO_DAY = "__HIVE_DEFAULT_PARTITION__"
# A commit that meets another one is not tried again: only one publisher may write.
COMMIT = CommitProperties(max_commit_retries=0)
# Checkpoints and the removal of old log entries come after the transaction (vacuuming.py).
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


@dataclass(frozen=True)
class StoredFile:
    path: str
    size: int
    day: date | None


@dataclass(frozen=True)
class NewFile:
    """Not yet in the store. `content` is in memory, or in a file without a name if it is large."""

    path: str
    size: int
    day: date | None
    rows: int
    content: IO[bytes]


@dataclass
class Change:
    """New files, and those whose place they take."""

    added: list[NewFile]
    gone: list[StoredFile]


class OpenTable:
    """A table of the lake at its newest version. All methods raise LakeUnavailable.

    `version` counts what this process commits.
    """

    def __init__(self, table: LakeTable, delta: DeltaTable) -> None:
        self.table = table
        self.version = delta.version()
        self._delta = delta
        handler = DeltaStorageHandler(table_url(table.name), storage_options())
        self._files = pyarrow.fs.PyFileSystem(handler)

    @property
    def delta(self) -> DeltaTable:
        """At `version`: reading a commit back takes as long as writing it, so it is done when needed."""
        if self._delta.version() != self.version:
            self.refresh()
        return self._delta

    def refresh(self) -> None:
        """Go to the newest version, whoever wrote it."""
        self._delta.update_incremental()
        self.version = self._delta.version()

    def write(self, days: Iterable[date | None]) -> Change:
        """Files with what the database holds of these days; None for what has no time.

        Call it in a transaction. Each file must be uploaded before `commit` changes the table.
        """
        with writing_to_the_store():
            replaced = list(days)
            gone = [file for file in self.stored_files() if file.day in replaced]
            added = [self._write(day) for day in replaced]
            return Change([file for file in added if file], gone)

    def write_all(self) -> Change:
        """The same for a table without partitions."""
        with writing_to_the_store():
            added = self._write(None)
            return Change([added] if added else [], list(self.stored_files()))

    def upload(self, file: NewFile) -> None:
        """Needs no database."""
        # By pieces smaller than the buffer, which pyarrow hands on as bytes: deltalake takes nothing else.
        with (
            writing_to_the_store(),
            file.content as content,
            self._files.open_output_stream(file.path, buffer_size=CHUNK) as stream,
        ):
            content.seek(0)
            shutil.copyfileobj(content, stream, PIECE)

    def commit(self, change: Change) -> None:
        """Make it the next version. Needs no database. Raises ClaimLost if there is one already."""
        if not change.added and not change.gone:
            return
        # With the clock of this process: a version is kept for a day from here on.
        now = int(timezone.now().timestamp() * 1000)
        added = [self._add_action(file) for file in change.added]
        removed = [
            RemoveAction(file.path, True, now, file.size, self._partition(file.day)) for file in change.gone
        ]
        with writing_to_the_store():
            self.delta.create_write_transaction(
                [*added, *removed],
                "append",
                table_schema(self.table),
                [PARTITION] if self.table.moment else None,
                commit_properties=COMMIT,
                post_commithook_properties=NO_HOOKS,
            )
        self.version += 1

    def stored_files(self) -> Iterator[StoredFile]:
        actions = pa.table(self.delta.get_add_actions(flatten=True))
        day = f"partition.{PARTITION}"
        names = ["path", "size_bytes", *([day] if day in actions.column_names else [])]
        for file in actions.select(names).to_pylist():
            yield StoredFile(file["path"], file["size_bytes"], file.get(day))

    def _write(self, day: date | None) -> NewFile | None:
        """The file of this day; None if there is nothing to write."""
        rows = batches(self.table, day)
        first = next(rows, None)
        if first is None:
            return None
        path = f"{self._folder(day)}{uuid4()}.zstd.parquet"
        content = _temporary_file()
        written = self._write_file(content, chain([first], rows))
        return NewFile(path, content.tell(), day, written, content)

    def _add_action(self, file: NewFile) -> AddAction:
        # No least and greatest values: the log outlives the rows.
        stats = json.dumps({"numRecords": file.rows})
        return AddAction(file.path, file.size, self._partition(file.day), _milliseconds(), True, stats)

    def _folder(self, day: date | None) -> str:
        return f"{PARTITION}={day or NO_DAY}/" if self.table.moment else ""

    def _write_file(self, file: IO[bytes], rows: Iterable[pa.RecordBatch]) -> int:
        written = 0
        schema = file_schema(self.table)
        with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd", store_schema=False) as writer:
            for group in _groups(rows):
                writer.write_table(group)
                written += group.num_rows
        return written

    def _partition(self, day: date | None) -> dict[str, str | None]:
        return {PARTITION: None if day is None else str(day)} if self.table.moment else {}


def _temporary_file() -> IO[bytes]:
    """It never has a name: nothing of it is left after a kill."""
    return cast(IO[bytes], SpooledTemporaryFile(KEPT_IN_MEMORY, dir=str(spool_folder())))


def _groups(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    count = 0
    for batch in rows:
        group.append(batch)
        count += batch.num_rows
        if count >= ROWS_IN_GROUP:
            yield pa.Table.from_batches(group)
            group, count = [], 0
    if group:
        yield pa.Table.from_batches(group)


def _milliseconds() -> int:
    return int(time() * 1000)
