"""SQL over what was pulled, by DuckDB, on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agnes.cli.datasets.kept import Kind, Shelf
from agnes.cli.errors import NotFound, WrongInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Python gets these as text: DuckDB would need another library for them.
WITH_ZONE = "TIMESTAMP WITH TIME ZONE"
SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}


@dataclass(frozen=True)
class Answer:
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def as_objects(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(account: str, statement: str) -> Answer:
    """Raises NotFound where nothing was pulled, and WrongInput with what DuckDB says."""
    views = dict(_views(account))
    if not views:
        raise NotFound("Nothing was pulled yet.", "Run `agnes pull`, or `agnes snapshot create`.")
    with _connected(views) as connection:
        import duckdb

        try:
            return _ask(connection, statement)
        except duckdb.Error as error:
            raise WrongInput(str(error).strip(), f"There are {', '.join(sorted(views))}.") from error


def _views(account: str) -> Iterator[tuple[str, Path]]:
    for kind in Kind:
        shelf = Shelf(account, kind)
        for kept in shelf.all():
            yield kept.view, shelf.data(kept.name)


@contextmanager
def _connected(views: dict[str, Path]) -> "Iterator[DuckDBPyConnection]":
    import duckdb

    with duckdb.connect(":memory:", config=SETTINGS) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in views.items():
            connection.execute(f"CREATE VIEW {_quoted(name)} AS SELECT * FROM read_parquet({_text(path)})")
        yield connection


def _ask(connection: "DuckDBPyConnection", statement: str) -> Answer:
    # None for what gives no rows, such as CREATE TABLE.
    relation: Any = connection.sql(statement)
    if relation is None:
        return Answer((), ())
    columns = list(relation.columns)
    if any(str(kind) == WITH_ZONE for kind in relation.types):
        chosen = (_as_text(at, kind) for at, kind in enumerate(relation.types, 1))
        relation = relation.project(", ".join(chosen))
    return Answer(columns, relation.fetchall())


def _as_text(at: int, kind: object) -> str:
    """By place, since two columns may have one name."""
    return f"CAST(#{at} AS VARCHAR)" if str(kind) == WITH_ZONE else f"#{at}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
