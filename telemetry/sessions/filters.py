"""Which sessions somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from telemetry.errors import WrongFilter
from telemetry.export import moments
from telemetry.export.filters import find_person
from telemetry.models import Source

PAGE = "docs/PEOPLE_AND_SESSIONS.md"
YES, NO = ("1", "true", "on"), ("", "0", "false")


class Item(NamedTuple):
    """A plugin of a marketplace."""

    source: str
    ref_id: str


@dataclass(frozen=True)
class SessionFilter:
    """`since` is inclusive, `until` exclusive, both of when the session began. `has_errors`, `model` and
    `project` are those of the main transcript, `item` was used by it or by a subagent."""

    user_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    has_errors: bool = False
    model: str = ""
    project: str = ""
    item: Item | None = None

    def of(self, user_id: int) -> "SessionFilter":
        return replace(self, user_id=user_id)

    @property
    def is_of_summary(self) -> bool:
        """Whether only what was extracted can tell."""
        return bool(self.has_errors or self.model or self.project)


def read_filter(values: Mapping[str, str], *, whole_days: bool = False) -> SessionFilter:
    """What the parameters of an address say; empty ones say nothing. Raises WrongFilter with all that is
    wrong.

    `whole_days`: `until` is a day that is still in, as forms have it.
    """
    readers = {**_READERS, "until": _end_of_day if whole_days else moments.read_moment}
    wrong: dict[str, str] = {}
    read: dict[str, Any] = {}
    for name, reader in readers.items():
        text = values.get(name, "").strip()
        if text:
            try:
                if "\0" in text:
                    raise ValueError("without a NUL")
                read[_FIELDS.get(name, name)] = reader(text)
            except ValueError as error:
                wrong[name] = str(error)
    filter = SessionFilter(**read)
    if filter.since and filter.until and filter.since >= filter.until:
        wrong["until"] = "must be later than since, such as 2026-06-01 after 2026-05-01"
    if wrong:
        raise WrongFilter(wrong, page=PAGE)
    return filter


def _end_of_day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise ValueError("a day, such as 2026-05-01") from None


def _item(text: str) -> Item:
    """Without a source, the name tells: the flea market's have no slash."""
    source, colon, ref_id = text.partition(":")
    if colon and source in (Source.CURATED, Source.FLEA):
        return Item(source, ref_id)
    return Item(Source.CURATED if "/" in text else Source.FLEA, text)


def _yes(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError("1 or 0, such as 1")
    return text.lower() in YES


_FIELDS = {"person": "user_id", "errors": "has_errors", "plugin": "item"}
_READERS: dict[str, Any] = {
    "person": find_person,
    "since": moments.read_moment,
    "errors": _yes,
    "model": str,
    "project": str,
    "plugin": _item,
}
NAMES = (*_READERS, "until")
