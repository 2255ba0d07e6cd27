"""/livez and /readyz, as a load balancer and a monitor ask them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from agnes.tests.server import environment_without_agnes, free_port, wait_until
from telemetry import worker_heartbeat
from telemetry.models import UsageDirtyDay, WorkerHeartbeat

ALL = ["database", "migrations", "disk", "worker", "publishing"]


@pytest.fixture
def ready(client: Client, db: None) -> Callable[..., Any]:
    """The answer of a server whose worker lives."""
    worker_heartbeat.beat("agnes:test")
    return lambda query="", **headers: client.get(f"/readyz{query}", **headers)


def failing(answer: Any) -> dict[str, dict[str, str]]:
    return {name: it for name, it in answer.json()["checks"].items() if it["status"] != "ok"}


class TestReadyz:
    def test_all_is_well(self, ready):
        answer = ready()
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        assert list(answer.json()["checks"]) == ALL
        assert not failing(answer)
        assert "no-store" in answer["Cache-Control"]

    def test_it_asks_a_few_quick_queries(self, ready, django_assert_max_num_queries):
        ready()
        with django_assert_max_num_queries(5):
            ready()

    def test_a_migration_is_missing(self, ready):
        newest = MigrationRecorder.Migration.objects.filter(app="telemetry").latest("name")
        newest.delete()
        answer = ready()
        assert answer.status_code == 503
        assert failing(answer)["migrations"]["hint"] == "Run `manage.py migrate`."

    def test_the_worker_is_dead(self, ready):
        WorkerHeartbeat.objects.update(beat_at=timezone.now() - worker_heartbeat.ALIVE)
        answer = ready()
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert "manage.py qcluster" in failing(answer)["worker"]["hint"]

    def test_changes_wait_for_too_long(self, ready):
        UsageDirtyDay.objects.create(day=timezone.now().date())
        assert ready().status_code == 200
        UsageDirtyDay.objects.create(marked_at=timezone.now() - timedelta(hours=3))
        assert failing(ready())["publishing"]["message"] == (
            "Changes have waited for 3 hours to be published."
        )

    def test_the_disk_is_full(self, ready, settings):
        settings.MIN_FREE_BYTES = 1 << 60
        message = failing(ready())["disk"]["message"]
        assert message.startswith("Less than")
        assert str(settings.DATA_DIR) not in message

    def test_the_data_folder_is_gone(self, ready, settings, tmp_path: Path):
        settings.DATA_DIR = tmp_path / "gone"
        assert failing(ready())["disk"]["message"] == "The data folder is missing."

    def test_checks_can_be_left_out(self, ready):
        WorkerHeartbeat.objects.all().delete()
        assert ready().status_code == 503
        answer = ready("?exclude=worker,publishing&exclude=disk")
        assert answer.status_code == 200
        assert list(answer.json()["checks"]) == ["database", "migrations"]

    def test_an_unknown_check_is_told(self, ready):
        answer = ready("?exclude=wroker")
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "unknown_check"

    def test_it_may_be_asked_by_address_and_takes_no_other_method(self, ready, client):
        assert ready(headers={"host": "10.1.2.3:8000"}).status_code == 200
        assert client.post("/readyz").status_code == 405


class TestLivez:
    def test_it_asks_nobody(self, client: Client):
        """The database is not to be used in this test; a session's cookie is not looked at."""
        client.cookies["sessionid"] = "x" * 32
        answer = client.get("/livez", headers={"host": "10.1.2.3:8000"})
        assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@contextmanager
def web_server(folder: Path, **variables: str) -> Iterator[str]:
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "agnes.wsgi", "--bind", bind, "--no-control-socket"]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**environment_without_agnes(), "AGNES_DATA_DIR": str(folder), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_up(f"http://{bind}"), 30)
        yield f"http://{bind}"
    finally:
        process.terminate()
        process.wait(30)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").status_code == 200
    except httpx.TransportError:
        return False


class TestWithoutDatabase:
    """Of a real server."""

    def test_a_database_that_does_not_answer(self, tmp_path: Path):
        secrets = {"SECRET_KEY": "x" * 50, "TOKEN_PEPPER": "x" * 50}
        url = "postgres://agnes:hidden@127.0.0.1:1/agnes"
        with web_server(tmp_path, DATABASE_URL=url, **secrets) as address:
            answer = httpx.get(f"{address}/readyz")
        assert answer.status_code == 503
        checks = answer.json()["checks"]
        assert checks["database"]["message"] == "The database does not answer."
        assert checks["worker"]["message"] == "It is not known while the database does not answer."
        assert checks["disk"]["status"] == "ok"
        assert "hidden" not in answer.text
        assert "127.0.0.1" not in answer.text

    def test_a_database_without_tables(self, tmp_path: Path):
        with web_server(tmp_path) as address:
            checks = httpx.get(f"{address}/readyz").json()["checks"]
        assert {name: it["status"] for name, it in checks.items()} == {
            "database": "ok",
            "migrations": "failing",
            "disk": "ok",
            "worker": "failing",
            "publishing": "failing",
        }
