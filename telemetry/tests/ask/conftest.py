from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from telemetry.export.datasets import Dataset
from telemetry.tests.ask.messages_api import Say, Server, messages_api
from telemetry.tests.export import lakes

COUNT = "SELECT count(*) AS n FROM usage_events WHERE tool_name = 'Bash'"


@pytest.fixture(scope="module")
def lake_files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake of the module's EVENTS, made once: nothing writes to it."""
    folder = str(tmp_path_factory.mktemp("lake"))
    with override_settings(LAKE_URL=folder):
        lakes.write_files({Dataset.EVENTS: request.module.EVENTS})
    return folder


@pytest.fixture
def lake(lake_files: str, settings: Any, db: None) -> Path:
    settings.LAKE_URL = lake_files
    lakes.note_versions()
    return Path(lake_files)


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    """The provider; it says COUNT until a test wants something else."""
    with messages_api(Say(COUNT)) as server:
        settings.ANTHROPIC_API_KEY = "sk-ant-test"
        settings.ANTHROPIC_BASE_URL = server.url
        yield server
