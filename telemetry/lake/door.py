"""The one way to read the lake: a DuckDB connection with a view for each table. Knows no Django.

The views stand on exactly the files of the snapshot, so nothing that is published meanwhile is seen. A
connection reaches these files, those it was told it may write, and nothing else. DuckDB cannot be kept from
overwriting a file that it may read: what a stranger wrote is run by `telemetry.ask` alone, which first proves
that it only selects.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telemetry.errors import LakeChanged
from telemetry.lake.caching import copies_of, folder_since
from telemetry.lake.files import files_of
from telemetry.lake.snapshot import Snapshot, TableSnapshot

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What spills lies in folders that begin so.
SPILL_PREFIX = "duckdb-"

# The local paths of a table's files, in order, with their sizes in bytes.
Paths = Mapping[str, int]


@contextmanager
def connect(
    snapshot: Snapshot,
    *,
    memory_limit: str,
    threads: int | None = None,
    spill: str | Path | None = None,
    spill_limit: str = "1GB",
    prefetch: bool = True,
    writes: Sequence[str] = (),
    paths: Sequence[Paths] | None = None,
    seconds: int | None = None,
) -> "Iterator[DuckDBPyConnection]":
    """A connection in UTC, locked: no other file, no network, no extension, no change of settings.

    `memory_limit` such as "512MB"; `threads` None takes one a core. What needs more memory spills to a folder
    of its own in `spill`, up to `spill_limit`, and fails beyond that or without it. `writes` are paths, such
    as "/dev/fd/5", that COPY may write to (with USE_TMP_FILE false). Python gets no TIMESTAMPTZ from it: cast
    to VARCHAR.

    `paths` are those of the tables where they are known already (`locate`). What takes longer than `seconds`
    is ended, though not inside of one call of a function.

    Without `prefetch` a thread does not load a whole group of rows ahead: that takes less memory, and longer
    on slow disks. Rows come in a table's order where a query asks for no other.

    Raises LakeChanged, also out of the block, where a file of the snapshot has been removed or cut short,
    and LakeUnavailable.
    """
    located = locate(snapshot) if paths is None else paths
    files = {path: size for of_table in located for path, size in of_table.items()}
    with _spill_folder(spill) as folder, _database(memory_limit, threads, folder, spill_limit) as connection:
        try:
            for table, of_table in zip(snapshot.tables, located, strict=True):
                connection.execute(_view(table, of_table))
            connection.execute(f"SET disable_parquet_prefetching = {not prefetch}")
            if seconds is not None:
                connection.execute(f"SET max_execution_time = {seconds * 1000}")
            _lock(connection, [*files, *writes])
            yield connection
        except Exception as error:
            _check_files(error, files)
            raise


def quoted(name: str) -> str:
    """As SQL has the name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def locate(snapshot: Snapshot) -> list[Paths]:
    """The files of each of its tables, on this machine. Raises LakeChanged, LakeUnavailable."""
    return [_paths(snapshot, table) for table in snapshot.tables]


def _paths(snapshot: Snapshot, table: TableSnapshot) -> Paths:
    """On this machine, whose copies of a remote lake are brought up to date."""
    files = files_of(table, snapshot.storage_options)
    if snapshot.cache is None:
        return {str(Path(table.url, file.path)): file.size for file in files}
    folder = folder_since(Path(snapshot.cache), snapshot.purged_at)
    copies = copies_of(table, files, folder, snapshot.storage_options)
    return {str(copy): file.size for copy, file in zip(copies, files, strict=True)}


@contextmanager
def _spill_folder(spill: str | Path | None) -> Iterator[str]:
    """One for each connection: DuckDB's names in it are the same in every process."""
    if spill is None:
        yield ""
        return
    Path(spill).mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SPILL_PREFIX, dir=spill) as folder:
        yield folder


@contextmanager
def _database(
    memory_limit: str, threads: int | None, spill: str, spill_limit: str
) -> "Iterator[DuckDBPyConnection]":
    import duckdb

    settings: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        "python_enable_replacements": False,
    }
    if threads is not None:
        settings["threads"] = threads
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # DuckDB does not obey it where it is given above.
        connection.execute(f"SET max_temp_directory_size = '{spill_limit}'")
        yield connection


def _view(table: TableSnapshot, paths: Paths) -> str:
    columns = ", ".join(f"{quoted(name)}::{type_} AS {quoted(name)}" for name, type_ in table.columns.items())
    return f"CREATE VIEW {quoted(table.name)} AS SELECT {columns} FROM {_rows(table, paths)}"


def _rows(table: TableSnapshot, paths: Paths) -> str:
    if not paths:
        return f"(SELECT {_typed_nulls(table.columns)} WHERE false)"
    partition = ", hive_types = {'day': DATE}" if table.partitioned else ""
    hive = f"hive_partitioning = {str(table.partitioned).lower()}{partition}"
    return f"read_parquet({_texts(paths)}, {hive})"


def _typed_nulls(columns: Mapping[str, str]) -> str:
    return ", ".join(f"NULL::{type_} AS {quoted(name)}" for name, type_ in columns.items())


def _lock(connection: "DuckDBPyConnection", files: Sequence[str]) -> None:
    connection.execute(f"SET allowed_paths = {_texts(files)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _check_files(error: Exception, files: Paths) -> None:
    """Whatever DuckDB says of it, a file that is missing or of another size is the reason."""
    import duckdb

    if isinstance(error, duckdb.Error) and not all(
        _is_whole(Path(path), size) for path, size in files.items()
    ):
        raise LakeChanged(in_copies=True) from error


def _is_whole(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size == size
    except OSError:
        return False


def _texts(values: Iterable[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"
