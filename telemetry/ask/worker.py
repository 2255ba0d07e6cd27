"""The process that runs one statement: it knows no Django, no secret, and ends with its answer.

One JSON object comes on standard input (telemetry/ask/running.py), one goes out: `columns`, `rows`,
`truncated` and `duration_ms`; or `error` with `kind` and `text`.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

# Imported while the other end still looks at the statement.
import duckdb

from accounts.linux import LOWEST, let_others_go_first
from telemetry.ask.cells import cell, unique_names
from telemetry.ask.kernel import confine, limit
from telemetry.ask.validating.rejection import Rejected
from telemetry.ask.validating.second_parser import validate_tree
from telemetry.errors import LakeChanged
from telemetry.lake.door import connect
from telemetry.lake.snapshot import Snapshot

MEMORY_LIMIT = "512MB"
THREADS = 2
SECONDS = 5
MAX_ROWS = 1_000
MAX_BYTES = 1_000_000
# Of all names of columns together: each row repeats them where it is told as an object.
MAX_NAMES = 20_000
ROWS_AT_ONCE = 100
ROOT = Path(__file__).resolve().parents[2]
# What libraries load late, and where they look for processors, memory and the container's limits.
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/proc/self", "/proc/stat", "/proc/meminfo", "/sys")


# These are raised before the statement reads anything.
OF_THE_STATEMENT = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


class TooWide(Exception):
    """Too many columns; the text names none of them."""


def main() -> None:
    out = _own_output()
    # Its start is short and always the same; what it is asked is nobody's hurry.
    let_others_go_first(LOWEST)
    limit()
    asked = json.loads(sys.stdin.buffer.read())
    is_confined = confine(_readable(asked))
    try:
        answer = _answer(asked)
    except Rejected as rejected:
        answer = _error(f"rejected:{rejected.rule}", rejected.text)
    except LakeChanged as error:
        answer = _error("lake_changed", error.message)
    except (duckdb.InterruptException, duckdb.OutOfMemoryException, MemoryError) as error:
        answer = _error("too_heavy", _first_line(error))
    except TooWide as error:
        answer = _error("failed", str(error), str(error))
    except Exception as error:
        answer = _error("failed", _first_line(error), _without_values(error, asked))
    json.dump({**answer, "is_confined": is_confined}, out)
    out.flush()


def _readable(asked: dict[str, Any]) -> Iterator[str]:
    """Python and its packages, this code, and the files of the lake. ROOT may hold .env and all data."""
    yield from (path for path in sys.path if Path(path) != ROOT)
    yield str(ROOT / "telemetry")
    yield from SYSTEM
    for paths in asked["paths"]:
        yield from paths


def _own_output() -> TextIO:
    """Standard output for the answer alone: DuckDB would draw how far a long query is."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return own


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    sql, snapshot = asked["sql"], Snapshot.from_dict(asked["snapshot"])
    with duckdb.connect(":memory:", config={"lock_configuration": True}) as empty:
        validate_tree(empty, sql, asked["views"], has_pivot=asked["has_pivot"])
    with connect(
        snapshot, memory_limit=MEMORY_LIMIT, threads=THREADS, paths=asked["paths"], seconds=SECONDS
    ) as connection:
        began = perf_counter()
        result = connection.execute(sql)
        columns = unique_names(column[0] for column in result.description or ())
        if sum(map(len, columns)) > MAX_NAMES:
            raise TooWide("it has too many columns; name those that are needed.")
        rows, truncated = _rows(result)
        return {
            "columns": columns,
            "rows": rows,
            "truncated": truncated,
            "duration_ms": round((perf_counter() - began) * 1000),
        }


def _rows(result: "duckdb.DuckDBPyConnection") -> tuple[list[list[Any]], bool]:
    """At most MAX_ROWS and about MAX_BYTES, and whether there were more."""
    rows: list[list[Any]] = []
    size = 0
    while some := result.fetchmany(ROWS_AT_ONCE):
        for row in some:
            cells = [cell(value) for value in row]
            size += sum(len(str(value)) for value in cells)
            if len(rows) == MAX_ROWS or size > MAX_BYTES:
                return rows, True
            rows.append(cells)
    return rows, False


def _error(kind: str, text: str, told: str = "") -> dict[str, Any]:
    """`told`: what may leave the server."""
    return {"error": {"kind": kind, "text": text, "told": told}}


def _without_values(error: Exception, asked: dict[str, Any]) -> str:
    """In full what was found wrong before any row was read; else it may quote one, as names of a PIVOT do."""
    if isinstance(error, OF_THE_STATEMENT) and not asked["has_pivot"]:
        return _first_line(error)
    return f"{type(error).__name__} on some row; its value is not told. TRY_CAST gives NULL instead."


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


if __name__ == "__main__":
    main()
