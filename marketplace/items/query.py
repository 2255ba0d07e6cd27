"""What somebody asks of the list of items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from accounts.numbers import whole_number
from marketplace.errors import WrongItemQuery
from marketplace.plugins.records import ComponentKind

Choice = TypeVar("Choice", bound=StrEnum)
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_OFFSET = 1_000_000
MAX_CHARACTERS = 200
# Each word is looked for in all components.
MAX_WORDS = 10


class ItemSource(StrEnum):
    """The values of telemetry.models.Source that items of a marketplace have."""

    CURATED = "curated"
    FLEA = "flea"


class Sort(StrEnum):
    MOST_USED = "most_used"
    TRENDING = "trending"
    RECENT = "recent"
    NAME = "name"


@dataclass(frozen=True)
class ItemQuery:
    """Filters that are None or '' let everything through; `marketplace` is a short name."""

    q: str = ""
    source: ItemSource | None = None
    marketplace: str = ""
    kind: ComponentKind | None = None
    category: str = ""
    sort: Sort = Sort.MOST_USED
    limit: int = DEFAULT_LIMIT
    offset: int = 0


def read_query(values: Mapping[str, str], **defaults: Any) -> ItemQuery:
    """What the parameters of an address say; an empty one is as good as none.

    `defaults` are for what they do not say. Raises WrongItemQuery, with everything that is wrong.
    """
    wrong = {name: _unknown() for name in values if name not in _READERS}
    read: dict[str, Any] = dict(defaults)
    for name, reader in _READERS.items():
        if text := values.get(name, "").strip():
            try:
                read[name] = reader(text)
            except ValueError as error:
                wrong[name] = str(error)
    if wrong:
        raise WrongItemQuery(wrong)
    return ItemQuery(**read)


def _choice(choices: type[Choice]) -> Callable[[str], Choice]:
    def read(text: str) -> Choice:
        try:
            return choices(text)
        except ValueError:
            raise ValueError(f"one of {', '.join(choices)}") from None

    return read


def _number(first: int, last: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = whole_number(text)
        if number is None or not first <= number <= last:
            raise ValueError(f"a whole number from {first} to {last}")
        return number

    return read


def _text(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"at most {MAX_CHARACTERS} characters")
    if "\x00" in text:
        raise ValueError("no NUL characters")
    return text


def _words(text: str) -> str:
    if len(_text(text).split()) > MAX_WORDS:
        raise ValueError(f"at most {MAX_WORDS} words")
    return text


def _unknown() -> str:
    return f"there is no such filter; use one of {', '.join(_READERS)}"


_READERS: dict[str, Callable[[str], Any]] = {
    "q": _words,
    "source": _choice(ItemSource),
    "marketplace": _text,
    "kind": _choice(ComponentKind),
    "category": _text,
    "sort": _choice(Sort),
    "limit": _number(1, MAX_LIMIT),
    "offset": _number(0, MAX_OFFSET),
}
