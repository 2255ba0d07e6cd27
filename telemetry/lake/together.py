"""The same work on several tables at once, in threads that use no database."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# They wait for a store most of the time, however few cores there are.
AT_ONCE = 16


def together(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in the order of the items. All are done when the first error is raised."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))
