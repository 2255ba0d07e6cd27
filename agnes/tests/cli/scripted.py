"""A server that takes transcripts as Agnes does, and fails as a test tells it to."""

import json
import socket
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

# What the next upload gets, one after another; then all are taken.
# PAGE is an answer of something else.
OK, DROP, TAKE_AND_DROP, PAGE = "ok", "drop", "take and drop", "page"
Answer = str | tuple[int, dict[str, str], dict[str, Any]]

ME = {
    "id": 7,
    "email": "bob@example.com",
    "name": "Bob",
    "is_staff": False,
    "scopes": ["upload", "read"],
    "expires_at": None,
}


def failing(status: int, code: str = "x", *, retry_after: str = "") -> Answer:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return status, headers, {"error": {"code": code, "message": f"No: {status}.", "hint": "Wait."}}


DATASET = {"name": "events", "table": "usage_events", "description": "a call", "whose": "mine", "columns": []}


@dataclass
class Request:
    method: str
    path: str
    at: float = field(default_factory=time.monotonic)


class Scripted:
    """`stored`: what was taken, by uploaded name, as it came each time. `script` is what comes next."""

    def __init__(self, port: int = 0) -> None:
        self.script: deque[Answer] = deque()
        self.always: Answer = OK
        self.requests: list[Request] = []
        self.stored: dict[str, list[bytes]] = {}
        self.withheld: list[str] = []
        # The only data set, its tag, and after how many bytes the next downloads break off.
        self.dataset, self.tag = b"PAR1" + bytes(300_000) + b"PAR1", '"first"'
        self.cuts: deque[int] = deque()
        self.item: dict[str, Any] = DATASET
        # What it says of the account, and how it claims that its answers are packed.
        self.me: Any = ME
        self.encoding = ""
        self.ranges: list[str] = []
        self.on_upload: Callable[[], None] = lambda: None
        self.on_taken: Callable[[], None] = lambda: None
        self.lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def uploads(self) -> list[Request]:
        return [it for it in self.requests if it.path.startswith("/api/upload/")]

    def latest(self) -> dict[str, bytes]:
        return {name: bodies[-1] for name, bodies in self.stored.items()}

    def next_answer(self) -> Answer:
        with self.lock:
            return self.script.popleft() if self.script else self.always

    def take(self, name: str, body: bytes) -> dict[str, Any]:
        with self.lock:
            bodies = self.stored.setdefault(name, [])
            status = "same" if bodies and bodies[-1] == body else "grown" if bodies else "new"
            if status != "same":
                bodies.append(body)
        return {"status": status, "session_id": name, "agent_id": "", "warnings": []}


@contextmanager
def scripted(port: int = 0) -> Iterator[Scripted]:
    server = Scripted(port)
    try:
        yield server
    finally:
        server.stop()


def _handler(server: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._note()
            path = urlsplit(self.path).path
            if path == "/api/datasets":
                self._answer(200, {}, {"items": [server.item], "as_of": None})
            elif path.startswith("/api/datasets/"):
                self._download()
            else:
                packed = {"Content-Encoding": server.encoding} if server.encoding else {}
                self._answer(200, packed, server.me)

        def _download(self) -> None:
            server.ranges.append(self.headers.get("Range", ""))
            if self.headers.get("If-None-Match") == server.tag:
                self._answer(304, {"ETag": server.tag}, None)
                return
            goes_on = self.headers.get("If-Range") == server.tag and self.headers.get("Range")
            start = int(goes_on.removeprefix("bytes=").rstrip("-")) if goes_on else 0
            rest = server.dataset[start:]
            self.send_response(206 if goes_on else 200)
            if server.tag:
                self.send_header("ETag", server.tag)
            self.send_header("X-Agnes-Rows", "3")
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            cut = server.cuts.popleft() if server.cuts else len(rest)
            self.wfile.write(rest[:cut])
            self.wfile.flush()
            if cut < len(rest):
                self._break()

        def do_DELETE(self) -> None:
            self._note()
            answer = server.next_answer()
            if isinstance(answer, tuple):
                self._answer(*answer)
                return
            if answer == PAGE:
                self._answer(200, {}, "Sign in")
                return
            session = urlsplit(self.path).path.rpartition("/")[2]
            server.withheld.append(session)
            self._answer(200, {}, {"session_id": session, "transcripts": 0, "complete": True})

        def do_POST(self) -> None:
            self._note()
            server.on_upload()
            answer = server.next_answer()
            if answer == DROP:
                # In the middle of the body.
                self.rfile.read(10)
                self._break()
                return
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 16 + zlib.MAX_WBITS)
            if isinstance(answer, tuple):
                self._answer(*answer)
                return
            if answer == PAGE:
                self._answer(200, {}, "Sign in")
                return
            if self.path.endswith("/readmit"):
                session = self.path.split("/")[-2]
                server.withheld.remove(session)
                self._answer(200, {}, {"session_id": session})
                return
            [name] = parse_qs(urlsplit(self.path).query)["name"]
            told = server.take(name, body)
            server.on_taken()
            if answer == TAKE_AND_DROP:
                self._break()
                return
            self._answer(201, {}, told)

        def _break(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _note(self) -> None:
            server.requests.append(Request(self.command, self.path))

        def _answer(self, status: int, headers: dict[str, str], content: Any) -> None:
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            if status >= 400:
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ValueError, OSError):
                # The connection was broken by the test or the client was killed.
                return

    return Handler
