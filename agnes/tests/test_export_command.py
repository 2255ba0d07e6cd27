"""manage.py usage_export in a shell, as a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from agnes.tests.server import ROOT, environment_without_agnes


class TestPipes:
    @pytest.fixture(scope="class")
    def environment(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
        environment = {
            **environment_without_agnes(),
            "AGNES_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "DJANGO_SETTINGS_MODULE": "agnes.settings",
        }
        filling = [sys.executable, "-m", "telemetry.tests.export.server_world", "5000"]
        subprocess.run(filling, cwd=ROOT, env=environment, check=True, capture_output=True)
        return environment

    def shell(self, text: str, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        command = ["bash", "-c", text, "bash", sys.executable]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=60)

    def test_a_reader_that_has_enough_ends_it_quietly(self, environment):
        done = self.shell("$1 manage.py usage_export | head -n 1; exit ${PIPESTATUS[0]}", environment)
        assert done.stdout.startswith(b"id,session_id,")
        assert (done.returncode, done.stderr) == (141, b"")

    def test_appending_to_a_file_keeps_what_is_there(self, environment, tmp_path: Path):
        file = tmp_path / "all.ndjson"
        file.write_text("first\n")
        done = self.shell(f"$1 manage.py usage_export --format ndjson >> {file}", environment)
        assert (done.returncode, done.stderr) == (0, b"")
        lines = file.read_bytes().splitlines()
        assert (lines[0], len(lines)) == (b"first", 5001)

    def test_on_a_terminal_it_shows_progress(self, environment, tmp_path: Path):
        done = self.shell(
            f'script -qec "$1 manage.py usage_export --out {tmp_path}/usage.csv" /dev/null', environment
        )
        assert b"Exporting 5,000 rows" in done.stdout
        assert b"5000 rows in" in done.stdout

    def test_a_terminal_gets_no_parquet(self, environment):
        done = self.shell('script -qec "$1 manage.py usage_export --format parquet" /dev/null', environment)
        assert b"add --out FILE" in done.stdout
        assert b"PAR1" not in done.stdout
