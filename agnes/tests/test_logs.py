"""What the server writes to its log: every line once."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from agnes.tests.server import environment_without_agnes, free_port, wait_until


@dataclass(frozen=True)
class WebServer:
    url: str
    log: Path

    def lines_with(self, text: str) -> list[str]:
        wait_until(lambda: text in self.log.read_text(), 10)
        return [line for line in self.log.read_text().splitlines() if text in line]


@pytest.fixture(params=["true", "false"], ids=["debug", "production"])
def web_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebServer]:
    """The web server as `start` runs it."""
    bind, log = f"127.0.0.1:{free_port()}", tmp_path / "log"
    command = [sys.executable, "-m", "gunicorn", "agnes.wsgi", "--bind", bind, "--log-level", "warning"]
    variables = {"AGNES_DATA_DIR": str(tmp_path / "new"), "DEBUG": request.param}
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--no-control-socket"],
            cwd=settings.BASE_DIR,
            env={**environment_without_agnes(), **variables},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: answers(bind), 30)
        yield WebServer(f"http://{bind}", log)
    finally:
        process.terminate()
        process.wait(30)


def answers(bind: str) -> bool:
    try:
        return httpx.get(f"http://{bind}/api/openapi.json").status_code == 200
    except httpx.TransportError:
        return False


class TestLogs:
    def test_a_refused_request_is_logged_once(self, web_server: WebServer):
        httpx.get(f"{web_server.url}/nowhere-1")
        httpx.post(f"{web_server.url}/admin/login/?nowhere-2")
        httpx.post(f"{web_server.url}/api/upload/sessions")
        assert len(web_server.lines_with("Not Found: /nowhere-1")) == 1
        assert len(web_server.lines_with("Forbidden (CSRF cookie not set.): /admin/login/")) == 1
        assert len(web_server.lines_with("Unauthorized: /api/upload/sessions")) == 1

    def test_a_wrong_host_is_one_warning(self, web_server: WebServer):
        url = f"{web_server.url}/api/openapi.json"
        assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
        [line] = web_server.lines_with("Invalid HTTP_HOST header: 'evil.example'")
        assert " WARNING " in line
        assert "Traceback" not in web_server.log.read_text()

    def test_a_failure_is_logged_once(self, web_server: WebServer):
        """The database has no tables, so asking who calls fails."""
        token = f"agnes_{'a' * 12}_{'b' * 40}"
        url = f"{web_server.url}/api/upload/sessions"
        assert httpx.post(url, headers={"Authorization": f"Bearer {token}"}).status_code == 500
        assert len(web_server.lines_with("ERROR")) == 1
        assert web_server.lines_with("OperationalError: no such table")


@pytest.mark.django_db
def test_a_nul_in_an_address_is_one_warning(client: Client, alice: User, monkeypatch: pytest.MonkeyPatch):
    [console] = [handler for handler in logging.getLogger().handlers if handler.name == "console"]
    written = StringIO()
    monkeypatch.setattr(console, "stream", written)
    client.force_login(alice)
    assert client.get("/admin/accounts/user/%00/change/").status_code == 400
    [line] = written.getvalue().splitlines()
    assert "WARNING django.request: There is a NUL in the address.: /admin/accounts/user/" in line
