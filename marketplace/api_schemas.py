"""What the marketplaces' part of the JSON API takes and answers. Days are UTC."""

from datetime import date, datetime
from typing import Annotated

from ninja import Field, Schema

from marketplace.git.addresses import LENGTH as URL_LENGTH
from marketplace.models.lengths import NAME_LENGTH, SLUG_LENGTH


class ItemWindow(Schema):
    first_day: date
    last_day: date


class ItemFigures(Schema):
    """`trend_pct` is null where the 30 days before have too little to compare with."""

    source: str
    ref_id: str
    name: str
    title: str
    description: str
    version: str
    category: str
    marketplace: str
    updated_at: datetime
    components_known: bool
    does_not_load: str | None
    invocations_30d: int
    unique_users_30d: int
    previous_invocations_30d: int
    trend_pct: float | None


class MatchingPart(Schema):
    kind: str
    name: str
    identifier: str | None


class ListedItem(ItemFigures):
    """`kinds`: how many components of which kind; `daily`: invocations of each day of the window; `matches`:
    the first parts inside that the words of `q` are about."""

    kinds: dict[str, int]
    daily: list[int]
    matches: list[MatchingPart]


class ItemList(Schema):
    items: list[ListedItem]
    total: int
    limit: int
    offset: int
    as_of: datetime | None
    window: ItemWindow


class ComponentFigures(Schema):
    """`identifier` is how Claude Code names it, null for what is never called by name; `daily`: invocations
    of each day of the window."""

    kind: str
    name: str
    identifier: str | None
    description: str
    path: str
    invocations_30d: int
    errors_30d: int
    last_used: date | None
    daily: list[int]


class OtherFigures(Schema):
    """Of names that the plugin does not have now; '' for those that the catalogue never had."""

    kind: str
    identifier: str
    invocations_30d: int
    errors_30d: int
    last_used: date | None


class DaySchema(Schema):
    day: date
    invocations: int
    errors: int
    people: int


class VersionSeen(Schema):
    version: str
    commit: str
    seen_at: datetime


class ItemDetail(ItemFigures):
    """`valid_to` is set once it has left the catalogue, `renamed_to` is what it is called since."""

    namespace: str
    author: dict[str, object]
    homepage: str
    repository: str
    license: str
    keywords: list[str]
    valid_to: datetime | None
    renamed_to: str | None
    errors_30d: int
    components: list[ComponentFigures]
    other_usage: list[OtherFigures]
    daily: list[DaySchema]
    versions: list[VersionSeen]
    as_of: datetime | None
    window: ItemWindow


class StackItemAnswer(Schema):
    """`name` is what `claude plugin install` takes, null where it is not served: then `why_not` says so."""

    source: str
    ref_id: str
    title: str
    added_at: datetime
    name: str | None
    why_not: str | None


class Stack(Schema):
    """`install` are the two lines to paste, with a placeholder for the token and the plugin's name."""

    items: list[StackItemAnswer]
    total: int
    limit: int
    offset: int
    install: list[str]


class NewMarketplace(Schema):
    """Empty: the slug is the repository's name, the ref its default branch, and it needs no token."""

    url: Annotated[str, Field(max_length=URL_LENGTH)]
    slug: Annotated[str, Field(max_length=SLUG_LENGTH)] = ""
    ref: Annotated[str, Field(max_length=NAME_LENGTH)] = ""
    token_env: Annotated[str, Field(max_length=NAME_LENGTH)] = ""


class MarketplaceAnswer(Schema):
    """`error` says why the last sync failed; the catalogue is then that of `commit`."""

    slug: str
    url: str
    ref: str
    token_env: str
    name: str
    state: str
    error: str
    commit: str
    attempted_at: datetime | None
    synced_at: datetime | None
    plugins: int
