"""Values of DuckDB as JSON has them."""

import json
import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

CELL_CHARACTERS = 2_000
# Python's JSON and browsers agree on whole numbers up to here.
EXACT_INTEGER = 2**53
EXACT_DIGITS = 15
ELLIPSIS = "…"


def cell(value: Any) -> Any:
    """A text is cut at CELL_CHARACTERS; what JSON has no form for becomes text, times ISO 8601."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return (
            float(value) if value.is_finite() and len(value.as_tuple().digits) <= EXACT_DIGITS else str(value)
        )
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return _cut(_json([_inner(item) for item in value]))
    if isinstance(value, dict):
        return _cut(_json({str(name): _inner(item) for name, item in value.items()}))
    if isinstance(value, timedelta):
        return str(value)
    return _cut(str(value))


def _inner(value: Any) -> Any:
    """Lists in lists stay lists."""
    if isinstance(value, list | tuple):
        return [_inner(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _inner(item) for name, item in value.items()}
    return cell(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def unique_names(names: Iterable[str]) -> list[str]:
    """A repeated name gets a number: n, n_2, n_3."""
    taken: set[str] = set()
    unique = []
    for name in names:
        new, number = name, 1
        while new in taken:
            number += 1
            new = f"{name}_{number}"
        taken.add(new)
        unique.append(new)
    return unique


def _cut(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + ELLIPSIS
