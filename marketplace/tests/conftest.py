from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from marketplace.tests.repositories import Repository

Run = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repositories" / "kits")


@pytest.fixture
def run() -> Run:
    """`run("marketplace_sync", "kits")` is what the command printed."""

    def call(name: str, *args: str) -> str:
        out = StringIO()
        call_command(name, *args, stdout=out, stderr=out)
        return out.getvalue()

    return call
