"""An installation of the commit that finished the lake comes forward with all it has.

`world.tar.xz` is its data folder, made by `python -m scripts.upgrade_fixture`. Where the suite runs on
PostgreSQL its rows are carried there first, into tables as they were then.
"""

import json
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from django.conf import settings

from agnes.tests.scratch import scratch_database
from agnes.tests.server import environment_without_agnes
from agnes.tests.upgrade.figures import Figures, figures_of

__all__ = ["scratch_database"]
WORLD = Path(__file__).parent / "world.tar.xz"
# It was uploaded and waited to be processed.
PENDING = "u20_s1.jsonl"
EXTRACTED = ("events", "messages", "summaries", "findings")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The data folder."""
    with tarfile.open(WORLD) as members:
        members.extractall(tmp_path / "old", filter="data")
    (tmp_path / "old").chmod(0o700)
    return tmp_path / "old"


@pytest.fixture
def before(old: Path) -> Figures:
    with closing(sqlite3.connect(old / "agnes.sqlite3")) as database:
        return figures_of(lambda query: database.execute(query).fetchall())


@pytest.fixture
def upgraded(old: Path, before: Figures, scratch_database: str) -> dict[str, Any]:
    return upgrade(old, scratch_database)


def upgrade(old: Path, database_url: str) -> dict[str, Any]:
    """What a process of its own found when it had brought the installation forward."""
    command = [sys.executable, "-m", "agnes.tests.upgrade.upgrading"]
    environment = {
        **environment_without_agnes(),
        "DJANGO_SETTINGS_MODULE": "agnes.settings",
        "AGNES_DATA_DIR": str(old),
        "AGNES_LAKE_URL": str(old / "lake"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "x" * 50,
        "TOKEN_PEPPER": "x" * 50,
        "LOG_LEVEL": "ERROR",
    }
    if database_url:
        command.append(str(old / "agnes.sqlite3"))
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows_in_lake(old: Path, versions: dict[str, int]) -> dict[str, int]:
    return {
        name: DeltaTable(str(old / "lake" / name), version=version).to_pyarrow_dataset().count_rows()
        for name, version in versions.items()
    }


def test_it_comes_forward_with_all_it_has(old: Path, before: Figures, upgraded: dict[str, Any]):
    assert upgraded["migrated"] == before
    assert len(before["events"]) == 43
    after = upgraded["processed"]
    for name in EXTRACTED:
        kept = [row for row in after[name] if PENDING not in row]
        assert kept == before[name], name
    assert [PENDING in row for row in after["summaries"]].count(True) == 1
    assert after["people"] == before["people"]
    assert [row[0] for row in after["daily"]] == [row[0] for row in before["daily"]]
    assert upgraded["pages"] == dict.fromkeys(upgraded["pages"], 200)
    assert "This installation is whole." in upgraded["told"]
    assert "Figures: well" in upgraded["told"]
    assert "Lake: well" in upgraded["told"]
    assert "Nothing is left to cure." in upgraded["told"]


def test_the_old_lake_was_whole(old: Path, before: Figures):
    """Otherwise nothing would be shown by what is there afterwards."""
    with closing(sqlite3.connect(old / "agnes.sqlite3")) as database:
        [(versions,)] = database.execute("SELECT versions FROM lake_snapshot WHERE is_complete")
    rows = rows_in_lake(old, json.loads(versions))
    assert rows["usage_events"] == len(before["events"])
    assert rows["usage_session_summary"] == len(before["summaries"])
    assert rows["usage_user_daily"] == len(before["user_daily"])
