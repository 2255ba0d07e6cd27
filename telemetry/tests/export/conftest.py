from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Scope, User
from telemetry.export.datasets import Dataset
from telemetry.tests.export import lakes

URL = "/api/admin/usage/export"
FIRST = datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.fixture
def get(client: Client, alice: User, token_for: Callable[..., str]) -> Callable[..., Any]:
    """`get(format="csv")` asks the API as alice; the answer's `body` are the bytes."""
    headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}

    def ask(**filters: Any) -> Any:
        answer = client.get(URL, filters, headers=headers)
        if answer.streaming:
            answer.body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return answer

    return ask


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., bytes]:
    """`command("--format=csv")` is what manage.py usage_export wrote."""

    def run(*options: str) -> bytes:
        out = tmp_path / "out"
        call_command("usage_export", *options, out=out, verbosity=0)
        return out.read_bytes()

    return run


def event(number: int, **fields: Any) -> Mapping[str, Any]:
    """Ten hours after the one before."""
    at = FIRST + timedelta(hours=10 * number)
    return {"id": f"id-{number:05}", "occurred_at": at, "extracted_at": at, **fields}


def build_events(*rows: Mapping[str, Any]) -> None:
    lakes.build({Dataset.EVENTS: rows})
