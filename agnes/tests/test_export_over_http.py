"""An export from the real web server: what breaks never looks complete, and nobody works for nobody."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from time import monotonic
from typing import cast

import httpx
import pytest

from agnes.tests.server import ROOT, descendants, environment_without_agnes, free_port, is_alive, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.sample]

ROWS = 60_000
URL = "/api/admin/usage/export"
# Less than half of what there is: the rest cannot lie in buffers on the way.
SOME_BYTES = 5_000_000


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

    def start(self) -> None:
        command = ["gunicorn", "agnes.wsgi", "--worker-class", "gthread", "--threads", "4"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"],
            cwd=ROOT,
            env=self.environment,
        )
        wait_until(self._answers, 30)

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
        with sqlite3.connect(self.data / "agnes.sqlite3") as database:
            rows = database.execute(
                "SELECT result, params FROM audit_log WHERE action = 'usage.export' ORDER BY id"
            )
            return [(result, json.loads(params)) for result, params in rows]

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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    server = WebServer(tmp_path_factory.mktemp("data"))
    server.start()
    yield server
    server.stop()


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
    wait_until(lambda: not server.children(), 5)
    assert server.children() == []
    assert [result for result, _ in server.audited()] == ["ok", "ok"]


def test_a_client_that_goes_away_ends_the_work(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        [child] = server.children()
        assert is_alive(child)
        stream.close()
    left = monotonic()
    wait_until(lambda: not is_alive(child), 10)
    assert not is_alive(child)
    assert monotonic() - left < 3
    wait_until(lambda: server.audited()[-1][0] != "ok", 5)
    (_, started), (result, params) = server.audited()[-2:]
    assert result == "not read to its end"
    assert SOME_BYTES <= params.pop("bytes") < ROWS * 1000
    assert params == started
    assert list((server.data / "spool").iterdir()) == []


def test_when_the_child_is_killed_the_client_sees_an_error(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        os.kill(server.children()[0], signal.SIGKILL)
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            read_all(stream)
    wait_until(lambda: server.audited()[-1][0] == "export_failed", 5)
    assert server.audited()[-1][0] == "export_failed"


def test_without_chunks_too(server: WebServer):
    """As web servers in front speak to Agnes, where the end of the connection is the end of the file."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        request = f"GET {URL} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n"
        connection.sendall(request.encode())
        read = 0
        while read < SOME_BYTES:
            read += len(connection.recv(1 << 20))
        os.kill(server.children()[0], signal.SIGKILL)
        with pytest.raises(ConnectionResetError):
            read_all(iter(lambda: connection.recv(1 << 20), b""))


def test_a_child_does_not_outlive_the_server(server: WebServer):
    with server.client() as client, client.stream("GET", URL) as answer:
        stream = read_some(answer)
        [child] = server.children()
        workers = list(descendants(server.process.pid))
        server.process.kill()
        for worker in set(workers) - {child}:
            os.kill(worker, signal.SIGKILL)
        server.process.wait()
        wait_until(lambda: not is_alive(child), 5)
        assert not is_alive(child)
        stream.close()
    server.start()
