"""A data folder that can only be read, for real: clear errors, and it goes on when it can be written to."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from agnes.management.commands.start import web_command
from agnes.tests.disk.clients import Api, assert_database_is_sound, assert_refused
from agnes.tests.disk.conftest import Disk
from agnes.tests.server import Server, wait_until

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 120


@contextmanager
def running(server: Server, command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=server.folder, env=server.environment, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def is_up(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/livez", timeout=5)
    except httpx.TransportError:
        return False
    return True


def test_a_data_folder_that_can_only_be_read(disk: Disk, server: Server, manage: Callable[..., Any]) -> None:
    with server:
        api = Api(server, manage)
        assert api.upload("before").status_code == 201
        wait_until(lambda: "before" in api.processed(), PATIENCE_SECONDS)
    with running(server, web_command()):
        wait_until(lambda: is_up(server), PATIENCE_SECONDS)
        disk.remount("ro")
        # Nothing that works on it starts now, the task worker neither.
        for command in ("start", "qcluster", "process_sessions"):
            refused = manage(command)
            assert refused.returncode
            assert "it is not writable" in refused.stderr
            assert "Traceback" not in refused.stderr
        assert_refused(api.upload("during"), 503, "read_only")
        assert api.readiness_of_disk()["hint"] == "Let the server's user write to it."
        disk.remount("rw")
        assert api.upload("during").status_code == 201
    with server:
        wait_until(lambda: len(api.processed()) == 2, PATIENCE_SECONDS)
        assert api.processed() == {"before": 3, "during": 3}
    assert_database_is_sound(disk.folder)
