"""Print figures as a table."""

from collections.abc import Iterable


def print_table(title: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Rows are (what, figure, target)."""
    body = [("figure", "measured", "target"), *rows]
    widths = [max(len(row[column]) for row in body) for column in range(3)]
    print(f"\n{title}")
    for row in body:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
