"""One kind of thing that there is of a person: a dry run counts it, an erasure removes it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.erasing.subject import Subject

# How many of what, by the name that people are told.
Counts = Counter[str]
# So many rows are removed by one statement.
BATCH = 500


@dataclass(frozen=True)
class Kind:
    """`remove` removes some, in the caller's transaction, and says what; nothing once all is gone. Doing it
    again changes nothing."""

    count: Callable[[Subject], Counts]
    remove: Callable[[Subject], Counts]


def rows(name: str, find: Callable[[Subject], QuerySet[Any]]) -> Kind:
    """Rows that a query finds."""

    def count(subject: Subject) -> Counts:
        return _counted(name, find(subject).count())

    def remove(subject: Subject) -> Counts:
        keys = list(find(subject).order_by("pk").values_list("pk", flat=True)[:BATCH])
        find(subject).filter(pk__in=keys).delete()
        return _counted(name, len(keys))

    return Kind(count, remove)


def chosen(
    name: str, all_rows: Callable[[], QuerySet[Any]], is_meant: Callable[[Any, Subject], bool]
) -> Kind:
    """Rows of which only a look at each tells whether the person is meant."""

    def find(subject: Subject) -> list[Any]:
        return [row.pk for row in all_rows().iterator(BATCH) if is_meant(row, subject)]

    def remove(subject: Subject) -> Counts:
        keys = find(subject)
        for start in range(0, len(keys), BATCH):
            all_rows().filter(pk__in=keys[start : start + BATCH]).delete()
        return _counted(name, len(keys))

    return Kind(lambda subject: _counted(name, len(find(subject))), remove)


def total(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counter())


def _counted(name: str, count: int) -> Counts:
    return Counter({name: count} if count else {})
