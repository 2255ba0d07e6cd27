import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
@pytest.mark.sample
def test_many_clients_at_once_lose_nothing():
    """The small sample of `python -m benchmarks.upload`: the real server with the worker running."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.upload", "--uploads", "20", "--clients", "4"],
        env={**os.environ, "DATABASE_URL": ""},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "20 uploads: none lost, none twice, no error." in ran.stdout
