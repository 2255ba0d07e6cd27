import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

MEGABYTES = 100
# The process alone takes about 75.
ALLOWED_PEAK_MB = 130


@pytest.mark.slow
@pytest.mark.sample
def test_a_large_transcript_is_processed_in_little_memory():
    """The small sample of `python -m benchmarks.memory`: holding the transcript would not fit."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "--megabytes", str(MEGABYTES)],
        env={**os.environ, "DATABASE_URL": ""},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    peak = re.search(r"ingesting it +(\d+) MB", ran.stdout)
    assert peak, ran.stdout
    assert int(peak[1]) < ALLOWED_PEAK_MB
