"""Which rows somebody asked for, and as what."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import TextChoices

from accounts.models import User
from accounts.numbers import whole_number
from telemetry.errors import WrongFilter
from telemetry.export import moments
from telemetry.export.datasets import Dataset
from telemetry.export.formats import Format
from telemetry.models import Source
from telemetry.models.lengths import NAME_LENGTH

YES, NO = ("1", "true"), ("0", "false")


@dataclass(frozen=True)
class Filters:
    """`since` is inclusive, `until` exclusive; rows without a time are in only where neither is set.
    `columns` are some of the data set's, () for all; `limit` is of the first rows."""

    dataset: Dataset = Dataset.EVENTS
    format: Format = Format.CSV
    since: datetime | None = None
    until: datetime | None = None
    user_id: int | None = None
    source: str | None = None
    spreadsheet_safe: bool = False
    tool: str | None = None
    columns: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        """What was set, for the audit log."""
        named = {
            "dataset": self.dataset.value,
            "format": self.format.value,
            "since": self.since and moments.shown(self.since),
            "until": self.until and moments.shown(self.until),
            "user_id": self.user_id,
            "source": self.source,
            "spreadsheet_safe": self.spreadsheet_safe or None,
            "tool": self.tool,
            "columns": list(self.columns) or None,
            "limit": self.limit,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def file_name(self) -> str:
        """Such as agnes-events-since-2026-05-01-user-7.csv: ASCII letters, digits, `_`, `-` and `.`."""
        told = {"since": self.since, "until": self.until, "user": self.user_id, "source": self.source}
        parts = [f"-{name}-{_in_a_name(value)}" for name, value in told.items() if value is not None]
        return f"agnes-{self.dataset}{''.join(parts)}.{self.format}"


def read_filters(values: Mapping[str, str], *, by_address: bool = False) -> Filters:
    """What the parameters of an address say. Raises WrongFilter, with everything that is wrong.

    With `by_address`, for doors where people type it, `user_id` may be an e-mail address as well.
    """
    return _read(values, {**_READERS, "user_id": find_person} if by_address else _READERS, Filters())


def read_part(values: Mapping[str, str], dataset: Dataset) -> Filters:
    """Which part of a data set somebody wants, as Parquet. Raises WrongFilter."""
    whole = Filters(dataset=dataset, format=Format.PARQUET)
    return _read(values, {**_OF_PARTS, "columns": _columns_of(dataset)}, whole)


def _read(values: Mapping[str, str], readers: Mapping[str, Callable[[str], Any]], rest: Filters) -> Filters:
    wrong: dict[str, str] = {name: _unknown(name, readers) for name in values if name not in readers}
    read: dict[str, Any] = {}
    for name, reader in readers.items():
        if name in values:
            try:
                read[name] = reader(values[name])
            except ValueError as error:
                wrong[name] = str(error)
    filters = replace(rest, **read)
    wrong = {**_contradictions(filters), **wrong}
    if wrong:
        raise WrongFilter(wrong)
    return filters


def find_person(text: str) -> int:
    """The id of the person with this e-mail address or id. Raises ValueError."""
    return _user_id(text) if "@" not in text else _existing(text, email=text.lower())


def _contradictions(filters: Filters) -> dict[str, str]:
    wrong = {}
    for name, column in (("user_id", "user_id"), ("source", "source"), ("tool", "tool_name")):
        if getattr(filters, name) is not None and column not in filters.dataset.table.columns:
            wrong[name] = (
                f"the data set {filters.dataset} has no column {column}: leave this out, or use events"
            )
    if filters.since and filters.until and filters.since >= filters.until:
        wrong["until"] = "must be later than since, such as 2026-06-01 after 2026-05-01"
    if filters.spreadsheet_safe and filters.format != Format.CSV:
        wrong["spreadsheet_safe"] = "goes with format=csv only"
    return wrong


def _choice(choices: type[StrEnum] | type[TextChoices]) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return choices(text)
        except ValueError:
            raise ValueError(f"one of {', '.join(choices)}, such as {next(iter(choices))}") from None

    return read


def _user_id(text: str) -> int:
    user_id = whole_number(text)
    if user_id is None:
        raise ValueError("the number of a person, such as 7 (it stands in the address of the person's page)")
    return _existing(text, pk=user_id)


def _existing(text: str, **key: object) -> int:
    user_id = User.objects.filter(**key).values_list("pk", flat=True).first()
    if user_id is None:
        example = "ana@example.com" if "@" in text else "7"
        raise ValueError(f"there is no person {text}; People in the admin lists them, such as {example}")
    return int(user_id)


def _boolean(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError("1 or 0, such as 1")
    return text.lower() in YES


def _columns_of(dataset: Dataset) -> Callable[[str], tuple[str, ...]]:
    known = dataset.table.columns

    def read(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(","))
        if wrong := [name for name in names if name not in known]:
            raise ValueError(f"there is no {wrong[0][:60]!r}; one or more of {', '.join(known)}")
        return names

    return read


def _tool(text: str) -> str:
    if not text or len(text) > NAME_LENGTH or "\0" in text:
        raise ValueError("the name of a tool, such as Bash")
    return text


def _limit(text: str) -> int:
    number = whole_number(text)
    if not number:
        raise ValueError("a number of rows, such as 100000")
    return number


def _unknown(name: str, readers: Iterable[str]) -> str:
    return f"there is no such filter; use one of {', '.join(readers)}"


def _in_a_name(value: datetime | int | str) -> str:
    return moments.shown(value).replace(":", "") if isinstance(value, datetime) else str(value)


_READERS: dict[str, Callable[[str], Any]] = {
    "dataset": _choice(Dataset),
    "format": _choice(Format),
    "since": moments.read_moment,
    "until": moments.read_moment,
    "user_id": _user_id,
    "source": _choice(Source),
    "spreadsheet_safe": _boolean,
}

# `columns` has its own for each data set.
_OF_PARTS: dict[str, Callable[[str], Any]] = {
    "since": moments.read_moment,
    "until": moments.read_moment,
    "source": _choice(Source),
    "tool": _tool,
    "limit": _limit,
}
