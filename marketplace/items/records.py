"""An item of the list: a plugin of whatever source, with its figures."""

from dataclasses import dataclass
from datetime import datetime

from marketplace.items.figures import Key, Usage


@dataclass(frozen=True)
class Listed:
    """What sorts and filters look at, and a card shows. `title` is what people call it."""

    source: str
    id: int
    ref_id: str
    name: str
    title: str
    description: str
    version: str
    category: str
    marketplace: str
    marketplace_name: str
    components_known: bool
    does_not_load: str | None
    updated_at: datetime

    @property
    def key(self) -> Key:
        return self.source, self.ref_id


@dataclass(frozen=True)
class Item(Listed):
    """`daily` has one number of invocations for each day of the window, `kinds` how many components of
    which kind it brings."""

    usage: Usage
    daily: list[int]
    kinds: dict[str, int]

    @property
    def invocations_30d(self) -> int:
        return self.usage.invocations

    @property
    def unique_users_30d(self) -> int:
        return self.usage.people

    @property
    def previous_invocations_30d(self) -> int:
        return self.usage.previous

    @property
    def trend_pct(self) -> float | None:
        return self.usage.trend_pct
