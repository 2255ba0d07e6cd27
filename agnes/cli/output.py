"""What commands print: tables for people, JSON and lines with tabs for programs."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agnes.cli.errors import ClientError

Row = Mapping[str, Any]

# What steers a terminal or the direction of its text, or cannot be written. Tabs and line ends may stay.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def say(text: str = "") -> None:
    print(harmless(text))


def warn(text: str) -> None:
    print(harmless(text), file=sys.stderr)


def tell(error: ClientError) -> None:
    """One sentence, and the next step."""
    warn(f"agnes: {error.text}")


def as_json(value: Any) -> None:
    """What would steer a terminal is escaped, which means the same."""
    text = json.dumps(value, indent=2, default=_plain_number, ensure_ascii=False)
    print(_STEERING.sub(lambda found: json.dumps(found[0])[1:-1], text))


def table(rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "Nothing.") -> None:
    """`columns`: what is shown of each row, by the heading. Numbers stand to the right.

    Into a pipe it goes with tabs and in full.
    """
    if not sys.stdout.isatty():
        _with_tabs(rows, columns)
    elif rows:
        _drawn(rows, columns)
    else:
        say(empty)


def shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """Names come from others: what would steer the terminal is shown as a mark."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Such as `3 hours ago`."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"{plural(int(seconds // length), unit)} ago"
    return "just now"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _plain_number(value: object) -> object:
    """DuckDB's exact numbers are numbers for programs, too; whatever else JSON does not know is a text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _with_tabs(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    say("\t".join(columns))
    for row in rows:
        say("\t".join(" ".join(_plain(row.get(name)).split()) for name in columns.values()))


def _plain(value: Any) -> str:
    return "" if value is None else shown(value)


def _drawn(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading, name in columns.items():
        numbers = all(isinstance(row.get(name), int | float | None) for row in rows)
        drawn.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        # As text: brackets in names are no markup.
        drawn.add_row(*(Text(shown(row.get(name))) for name in columns.values()))
    Console().print(drawn)
