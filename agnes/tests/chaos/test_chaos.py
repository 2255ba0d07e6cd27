"""kill -9 of web server and worker at every stage, at random; then all is as if nobody had died.

CHAOS_SEED repeats the runs, and CHAOS_RUNS says how many the long test makes: `make chaos`.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agnes.tests.chaos import reckoning
from agnes.tests.chaos.conftest import SEED
from agnes.tests.chaos.dying import WORKER, deaths
from agnes.tests.chaos.run import running
from agnes.tests.chaos.world import Figures, begin, figures, people, settle
from telemetry import tasks

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = int(os.environ.get("CHAOS_RUNS", "50"))


@pytest.fixture
def survives(
    undisturbed_figures: Figures,
    settings: Any,
    own_data_folder: Path,
    record_property: Callable[[str, object], None],
    capsys: Any,
) -> Callable[..., None]:
    def go_through(number: int, kills: int, **choice: int) -> None:
        with capsys.disabled():
            print(f"\nCHAOS_SEED={SEED}, run {number}", flush=True)
        cast = people()
        begin(cast)
        with running(settings, cast, random.Random(SEED + number)) as run:
            record_property("number", number)
            record_property("kills", run.kills)
            run.go_through(deaths(SEED, number, kills, **choice))
            run.servers[WORKER].kill()
            settle()
            tasks.prune_usage()
            settle()
            assert figures(cast) == undisturbed_figures
            reckoning.assert_nothing_is_lost(run.clients, run.acknowledged)
        reckoning.assert_no_process_is_left(own_data_folder)
        reckoning.assert_lake_is_the_database()
        record_property("cured", " ".join(reckoning.cure()))
        reckoning.assert_no_orphan_file()
        assert figures(cast) == undisturbed_figures

    return go_through


@pytest.mark.slow
@pytest.mark.sample
def test_a_few_kills(survives: Callable[..., None]) -> None:
    survives(0, 3)


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(RUNS))
def test_many_runs(number: int, survives: Callable[..., None]) -> None:
    survives(number, 4, nth=2)
