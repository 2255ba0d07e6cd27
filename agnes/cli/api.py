"""Requests to the server: with limits of time, sent again where that may help, and errors in one sentence."""

import os
import platform
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from agnes.cli import VERSION, answers
from agnes.cli.config import Login, is_loopback
from agnes.cli.errors import ServerAway

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
PATIENCE = "AGNES_PATIENCE"


@dataclass(frozen=True)
class Patience:
    """How long a request is sent again, in seconds from the first time."""

    seconds: float

    @classmethod
    def of_a_person(cls) -> Self:
        """Who waits at the terminal."""
        return cls(_seconds(default=10.0))

    @classmethod
    def of_a_push(cls) -> Self:
        return cls(_seconds(default=60.0))


class Api:
    """Close it. `token` '' for what needs none."""

    def __init__(
        self,
        server: str,
        token: str = "",
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server
        self.patience = patience or Patience.of_a_person()
        self._token = token
        self._sleep = sleep
        self._client: httpx.Client | None = None

    @classmethod
    def of(cls, login: Login, *, patience: Patience | None = None) -> Self:
        return cls(login.server, login.token, patience=patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self.json("GET", path, params=params)

    def json(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the answer; None where it has none. Raises ClientError."""
        return answers.json_of(self.send(method, path, **request), self.server)

    def send(self, method: str, path: str, *, again: bool = True, **request: Any) -> "httpx.Response":
        """`again`: whether it does no harm to send it a second time. A `content` that is a function is called
        for each try. Raises ClientError."""
        began = time.monotonic()
        wait = FIRST_WAIT
        while True:
            try:
                return self._once(method, path, request)
            except ServerAway as error:
                pause = max(error.retry_after or 0, wait * random.uniform(0.5, 1))
                if not again or time.monotonic() - began + pause > self.patience.seconds:
                    raise
                self._sleep(pause)
                wait = min(wait * 2, LONGEST_WAIT)

    @contextmanager
    def stream(self, path: str, **request: Any) -> "Iterator[httpx.Response]":
        """An answer whose body is still to be read. What breaks while it is read is a ServerAway, too."""
        import httpx

        prepared = self._client_().build_request("GET", f"/api{path}", **_filled(request))
        try:
            response = self._client_().send(prepared, stream=True)
            try:
                if response.status_code >= 300 and response.status_code != 304:
                    response.read()
                answers.check(response, self.server)
                yield response
            finally:
                response.close()
        except httpx.RequestError as error:
            raise answers.not_reached(self.server, error) from error

    def _once(self, method: str, path: str, request: Mapping[str, Any]) -> "httpx.Response":
        import httpx

        filled = _filled(request)
        if callable(filled.get("content")):
            filled["content"] = filled["content"]()
        try:
            response = self._client_().request(method, f"/api{path}", **filled)
        except httpx.RequestError as error:
            raise answers.not_reached(self.server, error) from error
        answers.check(response, self.server)
        return response

    def _client_(self) -> "httpx.Client":
        if self._client is None:
            import httpx

            headers = {"User-Agent": user_agent()}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            self._client = httpx.Client(
                base_url=self.server,
                headers=headers,
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                # A server on this machine is not behind a proxy.
                trust_env=not is_loopback(urlsplit(self.server).hostname),
            )
        return self._client


def in_path(text: str) -> str:
    """As one part of a path, whatever it holds."""
    return quote(text, safe="")


def user_agent() -> str:
    return f"agnes-cli/{VERSION} ({platform.system()}; Python {platform.python_version()})"


def _filled(request: Mapping[str, Any]) -> dict[str, Any]:
    """Without the parameters that nobody gave."""
    params = {name: value for name, value in (request.get("params") or {}).items() if value is not None}
    return {**request, "params": params}


def _seconds(default: float) -> float:
    try:
        return float(os.environ[PATIENCE])
    except (KeyError, ValueError):
        return default
