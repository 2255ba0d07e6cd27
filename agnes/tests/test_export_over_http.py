"""An export from the real web server: what breaks never looks complete, and nobody works for nobody."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import cast

import httpx
import pytest

from agnes.tests.server import ROOT, descendants, environment_without_agnes, free_port, is_alive, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.sample]

ROWS = 60_000
# The default of AGNES_EXPORTS_AT_ONCE.
EXPORTS_AT_ONCE = 2
NOTHING = {"until": "2026-05-01T00:00:00Z"}
URL = "/api/admin/usage/export"
# Less than half of what there is: the rest cannot lie in buffers on the way.
SOME_BYTES = 5_000_000
# For what takes a moment; much less than the minute after which a client is given up.
PATIENCE = 30


class WebServer:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment = {
            **environment_without_agnes(),
            "AGNES_DATA_DIR": str(data),
            "DJANGO_SETTINGS_MODULE": "agnes.settings",
        }
        filled = self._run("-m", "telemetry.tests.export.server_world", str(ROWS))
        self.token = filled.split()[-1]
        self.port = free_port()

    def start(self, application: str = "agnes.wsgi") -> None:
        command = ["gunicorn", application, "--worker-class", "gthread", "--threads", "4"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"],
            cwd=ROOT,
            env=self.environment,
        )
        wait_until(self._answers, 60)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    def children(self) -> list[int]:
        """The processes that export."""
        return [pid for pid, command in descendants(self.process.pid).items() if "export.child" in command]

    def audited(self) -> list[tuple[str, dict]]:
        """Results and details of the exports since `forget`."""
        with sqlite3.connect(self.data / "agnes.sqlite3") as database:
            rows = database.execute(
                "SELECT result, params FROM audit_log WHERE action = 'usage.export' AND id > ? ORDER BY id",
                [self.forgotten],
            )
            return [(result, json.loads(params)) for result, params in rows]

    def forget(self) -> None:
        with sqlite3.connect(self.data / "agnes.sqlite3") as database:
            [self.forgotten] = database.execute("SELECT coalesce(max(id), 0) FROM audit_log").fetchone()

    def spooled(self) -> list[Path]:
        return list((self.data / "spool").glob("*"))

    def memory(self) -> int:
        """Of the worker, in bytes."""
        [worker] = [pid for pid, command in descendants(self.process.pid).items() if "gunicorn" in command]
        status = Path(f"/proc/{worker}/status").read_text().split()
        return int(status[status.index("VmRSS:") + 1]) * 1024

    def _answers(self) -> bool:
        try:
            return self.client().get("/api/openapi.json").status_code == 200
        except httpx.TransportError:
            return False

    def _run(self, *command: str) -> str:
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    server = WebServer(tmp_path_factory.mktemp("data"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(running: WebServer) -> WebServer:
    """Nobody exports, and the audit log seems empty."""
    wait_until(lambda: not running.children(), PATIENCE)
    assert running.children() == []
    running.forget()
    return running


@pytest.fixture
def impatient(server: WebServer) -> Iterator[WebServer]:
    """It gives clients up that take nothing for two seconds."""
    server.stop()
    server.start("agnes.tests.impatient_wsgi")
    try:
        yield server
    finally:
        server.stop()
        server.start()


def read_some(answer: httpx.Response) -> Generator[bytes, None, None]:
    """The stream, of which some has been read."""
    stream = cast(Generator[bytes, None, None], answer.iter_bytes())
    read = 0
    while read < SOME_BYTES:
        read += len(next(stream))
    return stream


def read_all(stream: Iterator[bytes]) -> int:
    return sum(map(len, stream))


def test_it_comes_whole_and_the_server_does_not_grow(server: WebServer):
    with server.client() as client:
        client.get(URL, params={"until": "2026-05-01T00:00:10Z"}).raise_for_status()
        before = server.memory()
        with client.stream("GET", URL) as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert answer.headers["X-Agnes-Rows"] == str(ROWS)
            size = read_all(answer.iter_bytes())
        assert size > ROWS * 1000
        assert server.memory() - before < 20_000_000
    wait_until(lambda: not server.children(), PATIENCE)
    assert server.children() == []
    assert [result for result, _ in server.audited()] == ["ok", "ok"]


def test_a_client_that_goes_away_ends_the_work(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        [child] = server.children()
        assert is_alive(child)
        stream.close()
    wait_until(lambda: not is_alive(child), PATIENCE)
    assert not is_alive(child)
    wait_until(lambda: len(server.audited()) == 2, PATIENCE)
    (_, started), (result, params) = server.audited()
    assert result == "not read to its end"
    assert SOME_BYTES <= params.pop("bytes") < ROWS * 1000
    assert params == started
    assert server.spooled() == []


def test_when_the_child_is_killed_the_client_sees_an_error(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        os.kill(server.children()[0], signal.SIGKILL)
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            read_all(stream)
    wait_until(lambda: len(server.audited()) == 2, PATIENCE)
    assert [result for result, _ in server.audited()] == ["ok", "export_failed"]


def test_without_chunks_too(server: WebServer):
    """As web servers in front speak to Agnes, where the end of the connection is the end of the file."""
    with without_chunks(server) as connection:
        os.kill(server.children()[0], signal.SIGKILL)
        with pytest.raises(ConnectionResetError):
            read_all(iter(lambda: connection.recv(1 << 20), b""))


@contextmanager
def without_chunks(server: WebServer) -> Iterator[socket.socket]:
    """An export over HTTP/1.0 of which some has been read."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        request = f"GET {URL} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n"
        connection.sendall(request.encode())
        read = 0
        while read < SOME_BYTES:
            read += len(connection.recv(1 << 20))
        yield connection


def test_clients_that_do_not_read_leave_room_for_others(server: WebServer):
    with ExitStack() as stalled:
        for _ in range(EXPORTS_AT_ONCE):
            stalled.enter_context(without_chunks(server))
        with server.client() as client:
            refused = client.get(URL)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
            assert int(refused.headers["Retry-After"]) > 0
            assert "AGNES_EXPORTS_AT_ONCE" in refused.json()["error"]["hint"]
            assert len(server.children()) == EXPORTS_AT_ONCE
            assert client.get("/api/openapi.json").status_code == 200
    wait_until(lambda: not server.children(), PATIENCE)
    with server.client() as client:
        wait_until(lambda: client.get(URL, params=NOTHING).status_code == 200, PATIENCE)
        assert client.get(URL, params=NOTHING).status_code == 200


def test_a_client_that_stops_reading_is_given_up(impatient: WebServer):
    with without_chunks(impatient) as connection:
        [child] = impatient.children()
        wait_until(lambda: not is_alive(child), PATIENCE)
        assert not is_alive(child)
        wait_until(lambda: len(impatient.audited()) == 2, PATIENCE)
        assert [result for result, _ in impatient.audited()] == ["ok", "not read to its end"]
        with pytest.raises(ConnectionResetError):
            read_all(iter(lambda: connection.recv(1 << 20), b""))
    assert impatient.spooled() == []


def test_a_client_that_reads_slowly_is_not(impatient: WebServer):
    """It takes more than two seconds, with shorter pauses."""
    with without_chunks(impatient) as connection:
        for _ in range(5):
            sleep(1)
            assert connection.recv(1 << 20)
        assert read_all(iter(lambda: connection.recv(1 << 20), b"")) > ROWS * 900 - SOME_BYTES
    assert [result for result, _ in impatient.audited()] == ["ok"]


def test_a_child_does_not_outlive_the_server(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        [child] = server.children()
        workers = list(descendants(server.process.pid))
        try:
            server.process.kill()
            for worker in set(workers) - {child}:
                os.kill(worker, signal.SIGKILL)
            server.process.wait()
            wait_until(lambda: not is_alive(child), PATIENCE)
            assert not is_alive(child)
            assert server.spooled() == []
            stream.close()
        finally:
            server.start()
