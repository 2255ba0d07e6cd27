from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from agnes import schedules
from agnes.tests.machines import ledger
from agnes.tests.machines.machine import Machine
from telemetry.tests.bucket.conftest import bucket, s3
from telemetry.tests.lake.bucket import BUCKET, S3Server

__all__ = ["bucket", "s3"]

NewMachine = Callable[[str], Machine]


@pytest.fixture
def new_machine(
    transactional_db: None, bucket: Any, s3: S3Server, settings: Any, tmp_path: Path
) -> Iterator[NewMachine]:
    """`new_machine("a")` runs. This process is one more machine, without services."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves one machine")
    settings.LAKE_URL = f"s3://{BUCKET}/lake"
    settings.LAKE_STORAGE_OPTIONS = s3.options
    shared = {
        **s3.options,
        "AGNES_STORAGE_URL": settings.STORAGES["default"]["OPTIONS"]["url"],
        "AGNES_LAKE_URL": settings.LAKE_URL,
        # What a machine held that is lost is soon taken up.
        "PROCESSOR_CLAIM_SECONDS": "5",
    }
    schedules.sync()
    with ledger.kept(), ExitStack() as running:
        yield lambda name: running.enter_context(Machine(name, tmp_path / name, settings, shared))
