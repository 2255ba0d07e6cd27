"""Texts and JSON of unknown origin, as both databases take them."""

import math
from typing import Any

from marketplace.plugins.text import storable


def text(value: str, length: int) -> str:
    return storable(value[:length])


def json_value(value: Any) -> Any:
    """PostgreSQL takes no NUL, no lone surrogate and no NaN in JSON."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
