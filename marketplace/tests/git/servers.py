"""A git server on this machine: https with a certificate of its own, `git http-backend` behind it.

It can ask for a password, point elsewhere, hang, and die in the middle of an answer.
"""

import base64
import os
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class GitServer:
    """Serves the repositories below `folder`. `seen` holds (path, headers) of each request."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.folder = folder
        self.token = ""
        self.redirect_to = ""
        self.dies_after: int | None = None
        self.hangs = False
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"git_server": self})
        self._http = ThreadingHTTPServer((HOST, 0), handler)
        self._http.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        return f"https://{HOST}:{self._http.server_address[1]}/{name}"

    def stop(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    git_server: GitServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, body: bytes) -> None:
        server = self.git_server
        server.seen.append((self.path, dict(self.headers)))
        if server.hangs:
            server.released.wait(60)
        elif server.redirect_to:
            self._head(301, {"Location": server.redirect_to + self.path})
        elif server.token and not self._is_authorised():
            self._head(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._run_backend(body)

    def _is_authorised(self) -> bool:
        expected = base64.b64encode(f"x-access-token:{self.git_server.token}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _run_backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git_server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._head(
            int(headers.pop("Status", "200").split()[0]), {**headers, "Content-Length": str(len(content))}
        )
        if self.git_server.dies_after is not None and self.command == "POST" and b"packfile" in content:
            self.wfile.write(content[: self.git_server.dies_after])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(content)


def make_certificate(folder: Path) -> Path:
    """Key and self-signed certificate for 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Agnes test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
