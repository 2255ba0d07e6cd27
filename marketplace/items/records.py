"""An item of the list: a plugin of whatever source, with its figures."""

from dataclasses import dataclass
from datetime import datetime

from marketplace.items.figures import Key, Usage


@dataclass(frozen=True)
class Listed:
    """What sorts and filters look at, and a card shows. `title` is what people call it; `fits` says whether
    the words and the kind of the query do. `marketplace` and its name are '' for an item of the flea market.
    """

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
    fits: bool

    @property
    def key(self) -> Key:
        return self.source, self.ref_id


@dataclass(frozen=True)
class Match:
    """A part of an item; `identifier` is None for what no transcript names, such as a hook."""

    kind: str
    name: str
    identifier: str | None

    @property
    def own_names(self) -> str:
        """Without the namespace, which all parts of an item share."""
        return f"{self.name}\n{(self.identifier or '').partition(':')[2]}".casefold()


@dataclass(frozen=True)
class Item(Listed):
    """`daily` has one number of invocations for each day of the window, `kinds` how many components of
    which kind it brings, `matches` the parts that the words of the query are about."""

    usage: Usage
    daily: list[int]
    kinds: dict[str, int]
    matches: list[Match]

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
