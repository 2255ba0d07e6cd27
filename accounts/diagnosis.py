"""What `manage.py doctor` finds: each app examines what is its own, such as in telemetry/strays/."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAMED = 5


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be; `hint` is the cure.

    `fix` cures it and says what it did. It is None where a person must.
    """

    message: str
    hint: str
    fix: Callable[[], str] | None = None


def some_of(names: Sequence[str], at_most: int = NAMED) -> str:
    """The first few, and how many more there are."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
