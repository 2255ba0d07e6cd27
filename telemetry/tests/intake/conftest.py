from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from accounts.models import Scope, User

Upload = Callable[..., Any]


@pytest.fixture
def upload(client: Client, bob: User, token_for: Callable[..., str]) -> Upload:
    """`upload(raw)` is the answer to bob's upload of these bytes over HTTP."""
    token = token_for(bob, Scope.UPLOAD)

    def post(body: bytes, *, name: str | None = None, encoding: str | None = None, **headers: str) -> Any:
        query = {} if name is None else {"name": name}
        headers |= {"authorization": f"Bearer {token}"}
        if encoding:
            headers["content-encoding"] = encoding
        return client.post(
            "/api/upload/sessions",
            body,
            content_type="application/x-ndjson",
            query_params=query,
            headers=headers,
        )

    return post


@pytest.fixture
def stored_files(own_data_folder: Path) -> Callable[[], list[str]]:
    """Every file below the data folder that intake left there."""

    def names() -> list[str]:
        folders = [own_data_folder / "transcripts", own_data_folder / "spool"]
        return sorted(path.name for folder in folders for path in folder.rglob("*") if path.is_file())

    return names


@pytest.fixture
def shared_database(transactional_db: None) -> None:
    """For tests with threads."""
    if "mode=memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("a SQLite database in memory does not let threads wait for each other")


def error_of(response: HttpResponse) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]  # type: ignore[attr-defined]
    return error
