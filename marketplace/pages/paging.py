"""Pages of a list."""

from collections.abc import Callable
from dataclasses import dataclass

LAST_PAGE = 10_000


@dataclass(frozen=True)
class Paging:
    number: int
    last: int
    previous_url: str | None
    next_url: str | None


def paging(number: int, total: int, rows: int, url: Callable[[int], str]) -> Paging:
    last = max(1, -(-total // rows))
    return Paging(
        number,
        last,
        url(min(number - 1, last)) if number > 1 else None,
        url(number + 1) if number < last else None,
    )


def page_number(text: str) -> int:
    """What makes no sense is the first page."""
    return max(1, min(int(text), LAST_PAGE)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
