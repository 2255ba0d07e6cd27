import os
import subprocess
import sys

import pytest
from django.conf import settings

MEGABYTES = 200
ALLOWED_GROWTH_MB = 30


@pytest.mark.parametrize(
    "encoding",
    [
        pytest.param("identity", marks=pytest.mark.slow),
        pytest.param("gzip", marks=[pytest.mark.slow, pytest.mark.sample]),
        pytest.param("zstd", marks=pytest.mark.slow),
    ],
)
def test_a_large_upload_passes_in_constant_memory(tmp_path, encoding):
    environment = {
        **os.environ,
        "AGNES_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "agnes.settings",
        "LOG_LEVEL": "WARNING",
    }
    measured = subprocess.run(
        [sys.executable, "-m", "telemetry.tests.intake.large_upload", encoding, str(MEGABYTES)],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert measured.returncode == 0, measured.stderr
    assert float(measured.stdout) < ALLOWED_GROWTH_MB
