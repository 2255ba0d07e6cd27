import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import TransactionTestCase

pytest.register_assert_rewrite("agnes.tests.chaos.reckoning")

from agnes.tests.chaos.dying import all_stages  # noqa: E402
from agnes.tests.chaos.world import RETENTION_DAYS, Figures, undisturbed  # noqa: E402

# In the environment, so that all processes that run tests have the same.
SEED = int(os.environ.setdefault("CHAOS_SEED", str(random.SystemRandom().randrange(1_000_000))))
_known: dict[str, Figures] = {}


@pytest.fixture
def undisturbed_figures(transactional_db: None, settings: Any) -> Figures:
    """Of the same world without a kill: made once, in this test's database, which is emptied again."""
    settings.PROCESSOR_CLAIM_SECONDS = 2
    settings.USAGE_EVENTS_RETENTION_DAYS = settings.TRANSCRIPTS_RETENTION_DAYS = RETENTION_DAYS
    if not _known:
        _known["figures"] = undisturbed()
        TransactionTestCase(methodName="__init__")._fixture_teardown()  # type: ignore[attr-defined]
        for folder in Path(settings.DATA_DIR).iterdir():
            shutil.rmtree(folder)
    return _known["figures"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What died where, and what the doctor found; of all processes that ran tests."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    runs = [dict(report.user_properties) for report in reports if report.when == "call"]
    runs = [run for run in runs if "kills" in run]
    if not runs:
        return
    terminalreporter.section("kills")
    for run in runs:
        terminalreporter.write_line(
            f"CHAOS_SEED={SEED}, run {run['number']}, doctor: {run.get('cured') or 'nothing to remove'}"
        )
        for kill in run["kills"]:
            terminalreporter.write_line(f"    {kill}")
    kills = [kill for run in runs for kill in run["kills"]]
    missing = [stage for stage in all_stages() if stage not in {kill.partition(" (")[0] for kill in kills}]
    terminalreporter.write_line(
        f"{len(runs)} runs, {len(kills)} kills; stages without one: {missing or 'none'}"
    )
