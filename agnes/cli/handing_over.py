"""A token through the browser: the server's page sends it to a port of this machine, for this process alone.

The server's side is accounts/connecting.py: what comes by the browser is a code, and only who made up the
secret can turn it into a token.
"""

import hashlib
import hmac
import secrets
import threading
import webbrowser
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from agnes.cli.api import Api
from agnes.cli.errors import ClientError, NotAllowed

PATIENCE_SECONDS = 300
DONE = b"<!DOCTYPE html><meta charset=utf-8><title>Agnes</title><p>Done. Go on in the terminal."


def get_token(
    server: str,
    *,
    name: str,
    scopes: Sequence[str],
    show: Callable[[str], None],
    seconds: float = PATIENCE_SECONDS,
) -> str:
    """Waits until the person has answered in the browser. `show` is told the address to open."""
    verifier = secrets.token_urlsafe(48)
    with _Answer() as answer:
        query = {
            "port": answer.port,
            "state": answer.state,
            "challenge": _challenge(verifier),
            "name": name,
            "scope": scopes,
        }
        address = f"{server}/connect/?{urlencode(query, doseq=True)}"
        show(address)
        webbrowser.open(address)
        code = answer.wait(seconds)
    with Api(server) as api:
        # A code works once.
        given = api.json("POST", "/connect/token", json={"code": code, "verifier": verifier}, again=False)
    return str(given["token"])


class _Answer:
    """What the browser brings."""

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe(24)
        self._found: dict[str, str] = {}
        self._came = threading.Event()
        # This machine alone reaches it.
        self._server = HTTPServer(("127.0.0.1", 0), _handler(self._take))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> "_Answer":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """The code. Raises ClientError."""
        if not self._came.wait(seconds):
            raise ClientError(
                "Nothing came from the browser.", "Run it again, or use `agnes login --with-token`."
            )
        if "code" not in self._found:
            raise NotAllowed("It was not allowed in the browser.")
        return self._found["code"]

    def _take(self, query: str) -> bool:
        """Whether it is the answer: another program of this machine may knock, too."""
        found = {name: values[0] for name, values in parse_qs(query).items()}
        if not hmac.compare_digest(found.get("state", "").encode(), self.state.encode()):
            return False
        self._found = found
        self._came.set()
        return True


def _handler(take: Callable[[str], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taken = take(urlsplit(self.path).query)
            self.send_response(200 if taken else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(DONE) if taken else 0))
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(DONE if taken else b"")

        def log_message(self, format: str, *args: Any) -> None:
            """The code stays out of the terminal."""

    return Handler


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
