"""One file of an upload, before anything about it is believed."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`name` is what the upload calls it. `size` (bytes) is declared; `read` raises Refused if it lied."""

    name: str
    size: int
    executable: bool
    read: Callable[[], bytes] = field(repr=False)
