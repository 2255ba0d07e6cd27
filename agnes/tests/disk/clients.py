"""An admin of the server on a small disk, by the API and in a browser."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx

from agnes.tests.disk.conftest import ADMIN
from agnes.tests.server import Server
from telemetry.tests.processing.test_runner import session


class Api:
    def __init__(self, server: Server, manage: Callable[..., "CompletedProcess[str]"]) -> None:
        scopes = ("--scope", "upload", "--scope", "admin")
        token = manage("createtoken", ADMIN, "--name", "disk", *scopes).stdout.split()[0]
        # A connection for each request: the server may close one whose upload it did not read to its end.
        self.client = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def upload(self, name: str, calls: int = 3) -> httpx.Response:
        return self.client.post("/api/upload/sessions", content=session(name, calls=calls))

    def readiness_of_disk(self) -> dict[str, Any]:
        return dict(self.client.get("/readyz").json()["checks"]["disk"])

    def processed(self) -> dict[str, int]:
        """Calls of tools by session, as far as they are counted."""
        items = self.client.get("/api/admin/users/1/sessions").json()["items"]
        return {item["session_id"]: item["tool_calls"] for item in items if item["tool_calls"] is not None}


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "An operator makes" in answer.json()["error"]["hint"]


def assert_database_is_sound(folder: Path) -> None:
    with sqlite3.connect(folder / "agnes.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
