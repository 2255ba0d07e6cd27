"""What commands print: tables for people, JSON and lines with tabs for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agnes.cli.errors import ClientError

Row = Mapping[str, Any]


def say(text: str = "") -> None:
    print(text)


def warn(text: str) -> None:
    print(text, file=sys.stderr)


def tell(error: ClientError) -> None:
    """One sentence, and the next step."""
    warn(f"agnes: {error.text}")


def as_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


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
    return _harmless(str(value))


def _harmless(text: str) -> str:
    """Names come from others: what would steer the terminal is shown as a mark."""
    return "".join(it if it.isprintable() or it in "\n\t" else "\N{REPLACEMENT CHARACTER}" for it in text)


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
