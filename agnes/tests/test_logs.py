"""What the server writes to its log: every line once."""

import contextvars
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from multiprocessing import Queue, Value
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django_q.models import OrmQ
from django_q.monitor import monitor
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker

from accounts import log_context
from accounts.models import AuditLog, User
from agnes.logs import JsonFormatter, TextFormatter
from agnes.management.commands.start import web_command
from agnes.redaction import redacted
from agnes.tests.server import environment_without_agnes, free_port, wait_until
from marketplace.models import Marketplace


@dataclass(frozen=True)
class WebServer:
    url: str
    log: Path

    def lines_with(self, text: str) -> list[str]:
        wait_until(lambda: text in self.log.read_text(), 10)
        return [line for line in self.log.read_text().splitlines() if text in line]


@pytest.fixture(params=["true", "false"], ids=["debug", "production"])
def web_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebServer]:
    with running_web_server(tmp_path, DEBUG=request.param) as server:
        yield server


@contextmanager
def running_web_server(folder: Path, **variables: str) -> Iterator[WebServer]:
    """As `start` runs it."""
    bind, log = f"127.0.0.1:{free_port()}", folder / "log"
    variables = {"AGNES_DATA_DIR": str(folder / "new"), **variables, "AGNES_BIND": bind}
    with log.open("w") as output:
        process = subprocess.Popen(
            web_command(),
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


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the log of this process writes from here on."""
    [console] = [handler for handler in logging.getLogger().handlers if handler.name == "console"]
    written = StringIO()
    monkeypatch.setattr(console, "stream", written)
    return written


@pytest.mark.django_db
def test_a_nul_in_an_address_is_one_warning(client: Client, alice: User, written: StringIO):
    client.force_login(alice)
    assert client.get("/admin/accounts/user/%00/change/").status_code == 400
    [line] = written.getvalue().splitlines()
    assert "WARNING django.request: There is a NUL in the address.: /admin/accounts/user/" in line


def test_json_lines_with_the_id_of_their_request(tmp_path: Path):
    with running_web_server(tmp_path, AGNES_LOG_FORMAT="json") as server:
        answer = httpx.get(f"{server.url}/nowhere", headers={"X-Request-ID": "from-the-proxy"})
        host = httpx.get(f"{server.url}/", headers={"Host": "evil.example"})
        token = f"agnes_{'a' * 12}_{'b' * 40}"
        failed = httpx.get(
            f"{server.url}/api/marketplace/items", headers={"Authorization": f"Bearer {token}"}
        )
        server.lines_with("no such table")
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    by_id = {line["request_id"]: line for line in lines if "request_id" in line}
    assert answer.headers["X-Request-ID"] == "from-the-proxy"
    not_found = by_id["from-the-proxy"]
    assert datetime.fromisoformat(not_found.pop("time")).tzinfo == UTC
    assert not_found == {
        "level": "WARNING",
        "logger": "django.request",
        "message": "Not Found: /nowhere",
        "request_id": "from-the-proxy",
        "method": "GET",
        "path": "/nowhere",
        "status": 404,
    }
    assert "evil.example" in by_id[host.headers["X-Request-ID"]]["message"]
    error = by_id[failed.headers["X-Request-ID"]]
    assert (error["level"], error["status"]) == ("ERROR", 500)
    assert "OperationalError: no such table" in error["exception"]


def test_what_gunicorn_says_looks_the_same(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        variables = {"AGNES_DATA_DIR": str(tmp_path), "AGNES_BIND": bind, "AGNES_LOG_FORMAT": "json"}
        done = subprocess.run(
            web_command(),
            cwd=settings.BASE_DIR,
            env={**environment_without_agnes(), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["logger"] for line in lines} == {"gunicorn.error"}
    assert any("in use" in line["message"] for line in lines)


@pytest.mark.django_db
def test_a_line_of_text_ends_with_the_id(client: Client, written: StringIO):
    answer = client.get("/nowhere")
    [line] = written.getvalue().splitlines()
    assert line.endswith(f"WARNING django.request: Not Found: /nowhere [{answer['X-Request-ID']}]")


@pytest.mark.django_db(transaction=True)
class TestTasks:
    """A task has the id of the request that asked for it, wherever it runs."""

    def run_queued(self) -> dict[str, Any]:
        """What a worker's process does with the one task that is queued, and then the process for results."""
        [queued] = OrmQ.objects.all()
        tasks: Any = Queue()
        results: Any = Queue()
        tasks.put(SignedPackage.loads(queued.payload))
        tasks.put("STOP")
        worker(tasks, results, Value("f", -1))
        task: dict[str, Any] = results.get()
        results.put(task)
        results.put("STOP")
        contextvars.copy_context().run(monitor, results)
        return task

    def test_its_audit_rows_have_the_id(self, client: Client, alice: User, tmp_path: Path):
        Marketplace.objects.create(slug="kits", url=(tmp_path / "nothing").as_uri())
        client.force_login(alice)
        page = "/admin/marketplace/marketplace/"
        form = {"action": "sync_now", "_selected_action": [Marketplace.objects.get().pk]}
        answer = client.post(page, form, headers={"X-Request-ID": "asked-for-it"})
        assert answer.status_code == 302
        self.run_queued()
        row = AuditLog.objects.get(action="marketplace.sync")
        assert (row.request_id, row.client_kind) == ("asked-for-it", "task")
        assert log_context.under_way() == log_context.NOTHING

    def test_what_it_logs_has_the_id(self, written: StringIO, monkeypatch: pytest.MonkeyPatch):
        [console] = [handler for handler in logging.getLogger().handlers if handler.name == "console"]
        monkeypatch.setattr(console, "formatter", JsonFormatter())
        with log_context.request("asked-for-it"):
            async_task("agnes.tests.test_logs.fail_loudly")
        assert not self.run_queued()["success"]
        mine, result = [json.loads(line) for line in written.getvalue().splitlines()]
        task = "agnes.tests.test_logs.fail_loudly"
        assert (mine["message"], mine["request_id"], mine["task"]) == ("Now.", "asked-for-it", task)
        assert (result["logger"], result["request_id"], result["task"]) == ("django-q", "asked-for-it", task)
        assert "ValueError: it failed" in result["message"]

    def test_one_by_the_clock_begins_an_id(self):
        async_task("accounts.tasks.record_failed_sign_ins")
        assert re.fullmatch(r"[0-9a-f]{16}", self.run_queued()["request_id"])


def fail_loudly() -> None:
    logging.getLogger(__name__).warning("Now.")
    raise ValueError("it failed")


class TestSecrets:
    TOKEN = f"agnes_{'k' * 12}_{'s' * 40}"
    SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"

    @pytest.mark.parametrize(
        ("text", "logged"),
        [
            (f"the token {TOKEN} is odd", f"the token agnes_{'k' * 12}_… is odd"),
            (f"Authorization: Bearer {TOKEN}", f"Authorization: Bearer agnes_{'k' * 12}_…"),
            ("Authorization: Basic YWxpY2U6aHVudGVyMjI=", "Authorization: Basic …"),
            ("at postgres://agnes:hunter2@db:5432/agnes", "at postgres://agnes:…@db:5432/agnes"),
            ("https://x-token:ghp_abc@git.example/kits.git", "https://x-token:…@git.example/kits.git"),
            (f"id_token={SIGNED} came", "id_token=… came"),
            (f"b'{SIGNED}'", "b'…'"),
            ("/callback?state=abc&code=4/0Adeu5B", "/callback?state=abc&code=…"),
            ("x-api-key: sk-ant-api03-abcdefghijklmnop", "x-api-key: …"),
            ("password=hunter2&next=/", "password=…&next=/"),
            ("exit code=1, Bearer authentication, a basic mistake", None),
        ],
    )
    def test_what_looks_like_one_is_blotted_out(self, text: str, logged: str | None):
        assert redacted(f" {text}") == f" {text if logged is None else logged}"

    def test_so_are_our_own(self):
        assert settings.SECRET_KEY not in redacted(f"it was {settings.SECRET_KEY}")
        assert settings.TOKEN_PEPPER not in redacted(settings.TOKEN_PEPPER)

    @pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
    def test_in_messages_and_tracebacks(self, formatter: logging.Formatter):
        try:
            raise ValueError(f"refused {self.TOKEN}")
        except ValueError:
            record = logging.LogRecord("x", logging.ERROR, "", 1, "With %s", (self.TOKEN,), sys.exc_info())
        line = formatter.format(record)
        assert "ValueError: refused agnes_kkkkkkkkkkkk_…" in line
        assert "s" * 40 not in line
