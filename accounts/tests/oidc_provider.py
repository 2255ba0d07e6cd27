"""A provider of OpenID Connect on this machine: discovery, authorize, token, keys, userinfo, over real HTTP.

It checks what a provider checks: the client and its secret, the registered address, PKCE, and that a code is
used once. Whoever comes is signed in as `claims`; tests change these, and what else it does wrong.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "agnes-client"
CLIENT_SECRET = "the-client's-secret"


@cache
def key(name: str = "first") -> rsa.RSAPrivateKey:
    """Made once: it takes a part of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    def __init__(self, url: str) -> None:
        self.url = url
        self.redirect_uri = "http://127.0.0.1:8000/sign-in/callback/"
        self.claims: dict[str, Any] = {
            "sub": "id-of-erin",
            "email": "erin@example.com",
            "email_verified": True,
            "name": "Erin",
        }
        # What the id_token says otherwise than it should, and what userinfo says beyond that.
        self.id_token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.signing_key = "first"
        self.key_id: str | None = "first"
        self.published = ["first"]
        self.algorithm = "RS256"
        self.denies = False
        self.without_id_token = False
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            **self.config,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [_jwk(name) for name in self.published]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert query["client_id"] == CLIENT_ID
        assert query["redirect_uri"] == self.redirect_uri
        assert query["response_type"] == "code"
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        if self.denies:
            return f"{self.redirect_uri}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_hex(8)
        self.codes[code] = query
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """None where it refuses."""
        asked = self.codes.pop(form.get("code", ""), None)
        is_client = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if asked is None or not is_client or form.get("redirect_uri") != self.redirect_uri:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        answer = {"access_token": "access", "token_type": "Bearer", "expires_in": 3600}
        return answer if self.without_id_token else {**answer, "id_token": self.signed(asked.get("nonce"))}

    def signed(self, nonce: str | None) -> str:
        now = int(time.time())
        standard = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {**standard, **self.claims, **self.id_token}
        claims = {name: value for name, value in claims.items() if value is not None}
        signing_key: Any = key(self.signing_key)
        if self.algorithm == "none":
            signing_key = None
        elif self.algorithm == "HS256":  # with what everybody can see
            signing_key = "x" * 32
        headers = {"kid": self.key_id} if self.key_id else {}
        return jwt.encode(claims, signing_key, algorithm=self.algorithm, headers=headers)


def _jwk(name: str) -> dict[str, Any]:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True)
    return {**public, "kid": name, "use": "sig", "alg": "RS256"}


@contextmanager
def running() -> Iterator[Provider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    _Handler.provider = provider
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(self.provider.discovery())
        elif parts.path == "/keys":
            self._json(self.provider.keys())
        elif parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(_first(parts.query)))
            self.end_headers()
        elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
            self._json({**self.provider.claims, **self.provider.userinfo})
        else:
            self._json({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.provider.token(_first(body)) if self.path == "/token" else None
        self._json(answer or {"error": "invalid_grant"}, 200 if answer else 400)

    def _json(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def _first(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
