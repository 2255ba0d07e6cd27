"""A disk that is full for real: clear errors, nothing corrupt, and it goes on when there is room again."""

from collections.abc import Callable
from typing import Any

import pytest

from agnes.tests.disk.clients import Api, assert_database_is_sound, assert_refused
from agnes.tests.disk.conftest import ADMIN, PASSWORD, Disk
from agnes.tests.server import Server, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.sample]
PATIENCE_SECONDS = 120


def test_a_full_disk(disk: Disk, server: Server, manage: Callable[..., Any]) -> None:
    with server:
        api = Api(server, manage)
        assert api.upload("before").status_code == 201
        wait_until(lambda: "before" in api.processed(), PATIENCE_SECONDS)
        with server.signed_in(ADMIN, PASSWORD) as browser:
            # The worker has these to do when the disk is full.
            waiting = {f"waiting{number}": 200 for number in range(5)}
            assert all(api.upload(name, calls).status_code == 201 for name, calls in waiting.items())
            disk.fill()
            assert_refused(api.upload("during", 3000), 507, "disk_full")
            assert api.readiness_of_disk()["hint"] == "Make room, or lower AGNES_MIN_FREE_BYTES."
            assert browser.get("/marketplace/").status_code == 200
            assert "nearly full" in browser.get("/admin/").text
            assert not [path for path in (disk.folder / "spool").iterdir() if path.suffix == ".zst"]
            disk.make_room()
        assert api.upload("during", 3000).status_code == 201
        assert api.upload("before").json()["status"] == "same"
        counted = {"before": 3, "during": 3000, **waiting}
        wait_until(lambda: api.processed() == counted, PATIENCE_SECONDS)
        assert api.processed() == counted
        assert api.readiness_of_disk()["status"] == "ok"
    assert_database_is_sound(disk.folder)
    told = manage("doctor", "--fix", "--min-age", "0").stdout
    assert "missing or damaged" not in told
    assert "there twice" not in told
