"""The demo world: its marketplace, its flea market, and the people whose sessions use them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.errors import AgnesError
from marketplace.demo import flea, market
from telemetry.demo import removal, world
from telemetry.demo.people import DOMAIN
from telemetry.demo.world import Progress


@dataclass(frozen=True)
class Created:
    """`trouble` says why its marketplace or flea market is not there, or not up to date."""

    world: world.Created
    trouble: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (_described(self.world), self.trouble)))


@dataclass(frozen=True)
class Removed:
    world: removal.Removed
    marketplace: bool

    def __bool__(self) -> bool:
        """Whether there was anything."""
        return bool(self.world.people) or self.marketplace

    def __str__(self) -> str:
        return f"{self.world}{', its marketplace' if self.marketplace else ''}"


def create(*, now: datetime, on_progress: Progress = lambda *_: None) -> Created:
    """Make what is missing of it. The sessions are worth seeing without the marketplace, too."""
    on_progress("Marketplace", 0, 1)
    troubles = [_trouble_of(market.create)]
    on_progress("Marketplace", 1, 1)
    # Before the sessions, or these would be processed twice.
    made = world.create(
        now=now,
        before_sessions=lambda: troubles.append(_trouble_of(flea.create)),
        on_progress=on_progress,
    )
    return Created(made, " ".join(filter(None, troubles)))


def count() -> Removed:
    """What `remove` would remove."""
    return Removed(removal.count(), market.find() is not None)


def remove() -> Removed:
    flea.remove()
    return Removed(removal.remove(), market.remove())


def _trouble_of(make: Callable[[], object]) -> str:
    try:
        make()
    except AgnesError as error:
        return f"Its marketplace could not be made: {error.text}"
    return ""


def _described(created: world.Created) -> str:
    if not created.transcripts:
        return f"The demo is there already: {created.people} people, {created.known_already} transcripts."
    failed = f" {created.failed} transcripts failed: see them in the admin." if created.failed else ""
    return (
        f"The demo: {created.people} people (@{DOMAIN}, group “{world.GROUP}”), marketplace {market.SLUG}, "
        f"{flea.ours().count()} items of the flea market, "
        f"{created.transcripts} transcripts, {created.events} events.{failed} "
        "`manage.py demo --clean` removes it."
    )
