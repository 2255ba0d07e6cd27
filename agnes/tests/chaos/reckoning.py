"""What must hold after it all: nothing lost, nothing twice, nothing left lying about."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from accounts.diagnosis import Finding
from agnes import doctor
from agnes.tests.chaos.clients import Clients
from agnes.tests.chaos.world import Sent, last_of, old_sessions
from telemetry.lake.tables import TABLES
from telemetry.models import SessionTranscriptPart, UsageEvent
from telemetry.sessions.zipping import LOST
from telemetry.tests.lake.reading import in_database, in_lake

# These look for what should not be there. The others ask for a worker that runs, and the like.
SEARCHES = ("Stored transcripts", "Flea market", "Spool folder", "Lake", "Copies", "Processing")
PATIENCE_SECONDS = 20


def assert_nothing_is_lost(clients: Clients, acknowledged: list[Sent]) -> None:
    """By the doors that people use: every file comes out of the zip as it was sent, but for those that
    retention has removed, and every event of the export."""
    wanted: dict[int, dict[str, bytes]] = {0: {}, 1: {}}
    for (whose, session_id), content in last_of(acknowledged).items():
        wanted[whose][f"{session_id}.jsonl"] = content
    for whose, files in wanted.items():
        zipped = clients.zip_of(whose)
        told = zipped.pop(LOST).decode()
        assert told.count("\n") + 1 == sum(sent.whose == whose for sent in old_sessions()), told
        assert {name for name in zipped.keys() | files if zipped.get(name) != files.get(name)} == set()
    assert clients.exported_rows() == UsageEvent.objects.count()


def assert_lake_is_the_database() -> None:
    assert in_lake() == in_database()


def cure() -> list[str]:
    """What `doctor --fix --min-age 0` removes; afterwards it finds nothing any more."""
    told = [finding.fix() for finding in _findings() if finding.fix]
    left = [finding.message for finding in _findings()]
    assert not left
    return told


def _findings() -> list[Finding]:
    return [
        finding
        for examination in doctor.EXAMINATIONS
        if examination.title in SEARCHES
        for finding in examination.examine(timedelta(0))
    ]


def assert_no_orphan_file() -> None:
    """Whatever the doctor says: every file of the data folder is one that a row names."""
    assert _files("transcripts") == {part.storage_key for part in _live_parts()}
    assert not [name for name in _files("spool") if not Path(name).name.startswith("index-")]
    assert {name for name in _files("lake") if "/_delta_log/" not in name} <= _in_logs_of_lake()


def _live_parts() -> Any:
    return SessionTranscriptPart.objects.stored().select_related("transcript")


def _files(folder: str) -> set[str]:
    root = Path(settings.DATA_DIR)
    return {str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file()}


def _in_logs_of_lake() -> set[str]:
    """Files of the current versions, and of old ones, which readers may need for a day."""
    found = set()
    for table in TABLES:
        folder = Path(settings.LAKE_URL) / table.name
        for log in (folder / "_delta_log").glob("*.json"):
            for action in map(json.loads, log.read_text().splitlines()):
                if "add" in action:
                    found.add(f"lake/{table.name}/{unquote(action['add']['path'])}")
    return found


def assert_no_process_is_left(data_dir: Path) -> None:
    """Children, such as those of exports, end with their server."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := _processes_with(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def _processes_with(data_dir: Path) -> list[str]:
    wanted = f"AGNES_DATA_DIR={data_dir}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
