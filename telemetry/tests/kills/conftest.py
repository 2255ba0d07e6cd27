import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from telemetry.tests.kills.servers import ROOT, environment_of


@pytest.fixture
def die(settings: Any) -> Callable[..., None]:
    """Run the victim on this test's database and data folder; it must die by SIGKILL."""
    settings.PROCESSOR_CLAIM_SECONDS = 2

    def run_victim(stage: str, which: int | str, *work: str) -> None:
        environment = environment_of(settings) | {
            "USAGE_EVENTS_RETENTION_DAYS": str(settings.USAGE_EVENTS_RETENTION_DAYS),
            "TRANSCRIPTS_RETENTION_DAYS": str(settings.TRANSCRIPTS_RETENTION_DAYS),
        }
        command = [sys.executable, "-m", "telemetry.tests.kills.victim", stage, str(which), *work]
        died = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert died.returncode == -signal.SIGKILL, died.stderr

    return run_victim
