"""Which stages `make test` has, since each takes a process and seconds; `make slow` has all of them."""

from collections.abc import Iterable
from typing import Any

import pytest


def quickly(stages: Iterable[str], *chosen: str) -> list[Any]:
    return [stage if stage in chosen else pytest.param(stage, marks=pytest.mark.slow) for stage in stages]


def first_and_third(stages: Iterable[str], *chosen: str, once: tuple[str, ...]) -> list[Any]:
    """Each stage and its how manyth time; those of `once` are passed only once."""
    marks = {stage: () if stage in chosen else pytest.mark.slow for stage in stages}
    first = [pytest.param(stage, 1, marks=mark) for stage, mark in marks.items()]
    third = [pytest.param(stage, 3, marks=pytest.mark.slow) for stage in marks if stage not in once]
    return [*first, *third]
