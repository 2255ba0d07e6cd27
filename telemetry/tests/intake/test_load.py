import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from agnes.tests.server import Server, environment_without_agnes
from telemetry.tests.builders import transcript_bytes, user_line


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


@pytest.mark.slow
@pytest.mark.sample
def test_pages_do_not_wait_for_uploads_that_wait_for_the_database(tmp_path: Path):
    """As while a publish writes on SQLite, where one writes at a time."""
    environment = {**environment_without_agnes(), "AGNES_DATA_DIR": str(tmp_path), "DEBUG": "false"}
    with Server(environment) as server, ThreadPoolExecutor(12) as people:
        made = [sys.executable, "manage.py", "createtoken", server.email(), "--scope", "upload"]
        token = subprocess.run(made, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        with someone_writing(tmp_path / "agnes.sqlite3"):
            uploads = [people.submit(upload, server.url, token.strip(), number) for number in range(12)]
            time.sleep(1)
            assert httpx.get(f"{server.url}/admin/login/").status_code == 200
            assert not any(one.done() for one in uploads)
        assert [one.result() for one in uploads] == [201] * 12


@contextmanager
def someone_writing(database: Path) -> Iterator[None]:
    writer = sqlite3.connect(database, isolation_level=None, timeout=30)
    writer.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def upload(url: str, token: str, number: int) -> int:
    content = transcript_bytes([user_line(sessionId=f"session-{number}")])
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/api/upload/sessions", content=content, headers=headers, timeout=60).status_code
