"""Which functions a statement may call: those of functions.json, where each one of DuckDB is decided."""

import json
from functools import cache
from pathlib import Path

from telemetry.ask.validating.rejection import Rejected

UNKNOWN_FUNCTION = "unknown_function"
_FILE = Path(__file__).with_name("functions.json")
# In FROM. Others of the allowed ones would be, too, if they were needed.
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})


@cache
def allowed_functions() -> frozenset[str]:
    return frozenset(_decisions()["allowed"])


@cache
def denied_functions() -> frozenset[str]:
    return frozenset(name for names in _decisions()["denied"].values() for name in names)


def check_function(name: str) -> None:
    """Raises Rejected; its rule is UNKNOWN_FUNCTION where DuckDB has none of that name."""
    folded = name.casefold()
    if folded in denied_functions():
        raise Rejected("function", f"The function {name!r:.80} may not be called here.")
    if folded not in allowed_functions():
        raise Rejected(UNKNOWN_FUNCTION, f"DuckDB has no function {name!r:.80}.")


def check_table_function(name: str) -> None:
    """Raises Rejected."""
    if name.casefold() not in TABLE_FUNCTIONS:
        raise Rejected("table_function", f"The function {name!r:.80} may not stand for a table here.")


@cache
def _decisions() -> dict[str, dict[str, list[str]]]:
    decisions: dict[str, dict[str, list[str]]] = json.loads(_FILE.read_text())
    return decisions
