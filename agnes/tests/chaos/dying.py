"""What is to be killed, when: each stage of the work, and any moment at all."""

import os
import random
import signal
from dataclasses import dataclass

from telemetry.tests.kills.victim import (
    EXPORTING,
    INTAKE,
    PROCESSING,
    PRUNING,
    PUBLISHING,
    REPROCESSING,
    ZIPPING,
    Stage,
    die_at,
)

WEB, WORKER = "web", "worker"
ANY_MOMENT = "any moment"
# Which server goes through which stages.
FAMILIES: dict[str, tuple[str, dict[str, Stage]]] = {
    "upload": (WEB, INTAKE),
    "extraction": (WORKER, PROCESSING),
    "roll-up and publish": (WORKER, PUBLISHING),
    "prune": (WEB, PRUNING),
    "reprocess": (WEB, REPROCESSING),
    "zip": (WEB, ZIPPING),
    "export": (WEB, EXPORTING),
}
# A process that has this in its environment dies at that stage, with all of its group.
VARIABLE = "CHAOS_DIE_AT"


@dataclass(frozen=True)
class Death:
    """`server` is killed at the nth time of a stage; without a family at any moment."""

    server: str
    family: str = ""
    stage: str = ANY_MOMENT
    nth: int = 1

    @property
    def environment(self) -> dict[str, str]:
        return {VARIABLE: f"{self.family}|{self.stage}|{self.nth}" if self.family else ""}

    def __str__(self) -> str:
        what = f"{self.family}: {self.stage}" if self.family else f"{self.server}: {self.stage}"
        return f"{what} ({self.nth})" if self.nth > 1 else what


def deaths(seed: int, number: int, count: int, *, nth: int = 1) -> list[Death]:
    """So many deaths of different families, each at the first to nth time of its stage, for run `number`.

    Two runs share the families, and each family has its stages in turn: so many runs have every stage.
    """
    families = random.Random(f"{seed} {number // 2}").sample([*FAMILIES, ANY_MOMENT], len(FAMILIES) + 1)
    chosen = families[:count] if number % 2 else families[-count:]
    chance = random.Random(f"{seed} {number}")
    return [_death(chance, family, seed + number // 2, nth) for family in chosen]


def _death(chance: random.Random, family: str, turn: int, nth: int) -> Death:
    if family == ANY_MOMENT:
        return Death(chance.choice([WEB, WORKER]))
    server, stages = FAMILIES[family]
    names = list(stages)
    return Death(server, family, names[turn % len(names)], chance.randint(1, nth))


def all_stages() -> list[str]:
    return [f"{family}: {stage}" for family, (_, stages) in FAMILIES.items() for stage in stages]


def prepare_to_die() -> None:
    """In a server that has just begun: what VARIABLE says. Work is done in small steps, to have more of
    them to die between."""
    chosen = os.environ.get(VARIABLE, "")
    if not chosen:
        return
    from telemetry import publishing
    from telemetry.maintenance import old_rows, reprocess

    publishing.BATCH_DAYS = reprocess.BATCH = 1
    old_rows.BATCH = 3
    family, stage, nth = chosen.split("|")
    die_at(FAMILIES[family][1][stage], int(nth), kill=_kill_group)


def _kill_group() -> None:
    os.killpg(0, signal.SIGKILL)
