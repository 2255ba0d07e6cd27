"""What a model is told with one question: the time, values that columns have, sample rows, the question."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def turn(question: str, *, now: datetime, values: Mapping[str, Sequence[str]], samples: Rows) -> str:
    """`now` is in UTC; `values` are by column, `samples` by view."""
    week = now.isocalendar()
    parts = [f"<now>{now:%A %Y-%m-%d %H:%M} UTC, ISO week {week.year}-W{week.week:02}</now>"]
    if values:
        parts.append(f"<data>Values that occur: {_json(values)}</data>")
    if samples:
        parts.append(f"<data>Sample rows: {_json(samples)}</data>")
    parts.append(f"<question>{_inert(question)}</question>")
    return "\n".join(parts)


def _json(value: object) -> str:
    return _inert(json.dumps(value, ensure_ascii=False, default=str))


def _inert(text: str) -> str:
    """Nothing in it can look like the end of its tag."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
