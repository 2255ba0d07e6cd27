"""Which names may stand for a table."""

import re
from collections.abc import Collection

from telemetry.ask.validating.rejection import Rejected

_PLAIN = re.compile(r"[^\W\d]\w*")
# Views that every DuckDB connection has (duckdb_views() of 2.0.0); a test compares.
CATALOG_VIEWS = frozenset(
    {
        "character_sets", "check_constraints", "columns", "constraint_column_usage", "constraint_table_usage",
        "key_column_usage", "referential_constraints", "schemata", "table_constraints", "tables", "views",
    }
)  # fmt: skip
# Those of a connection; what stands so before a function is no column.
SCHEMAS = frozenset({"main", "memory", "temp", "system", "pg_catalog", "information_schema"})
# Before the name of a recursive WITH ... USING KEY it means the rows so far.
RECURRING = "recurring"
# What begins so belongs to the catalog, or may in another version.
_CATALOG_PREFIXES = ("duckdb_", "pg_", "sqlite_", "pragma_", "information_schema")


def check_cte_name(name: str, views: Collection[str]) -> None:
    """A name of the catalog is refused: in its own body it would still mean the catalog. Raises Rejected."""
    folded = name.casefold()
    if not _PLAIN.fullmatch(name):
        raise Rejected("cte_name", f"A WITH name must be a plain word, unlike {name!r:.80}.")
    if folded in views:
        return
    if folded in CATALOG_VIEWS or folded.startswith(_CATALOG_PREFIXES):
        raise Rejected("cte_name", f"A WITH name must not be one of the database's own: {name!r:.80}.")


def check_word(word: str) -> None:
    """Of a statement that has no tree. Raises Rejected."""
    if word.casefold().startswith(_CATALOG_PREFIXES):
        raise Rejected("table", f"The database's own {word!r:.80} may not be read.")


def check_table(name: str, *, known: Collection[str], views: Collection[str]) -> None:
    """`known` are the names of WITH that can be seen there, case-folded. Raises Rejected."""
    if name.casefold() not in views and name.casefold() not in known:
        raise Rejected("table", f"There is no table {name!r:.80}; use {', '.join(sorted(views))}.")
