"""The way from one machine to many, by the commands of docs/SCALING.md: to another database, and to a bucket.

Where the suite runs on PostgreSQL the move is from SQLite to PostgreSQL.
"""

import re
from pathlib import Path

import pytest

from agnes.tests.scratch import scratch_database
from agnes.tests.server import environment_without_agnes
from agnes.tests.test_docs import BLOCK, ROOT, shell
from telemetry.tests.lake.bucket import BUCKET, s3_server

__all__ = ["scratch_database"]
pytestmark = [pytest.mark.slow, pytest.mark.sample]
MANAGE = ".venv/bin/python manage.py"
# A backup and a restore leave a row each.
TOTALS = re.compile(r"files of .+?; (.+), \d+ audit rows\.$", re.MULTILINE)


def steps() -> list[str]:
    """At the old place, and at the new one."""
    page = (ROOT / "docs" / "SCALING.md").read_text()
    reason = "agnes/tests/test_moving.py does, with two places"
    return [found["text"] for found in BLOCK.finditer(page) if found["reason"] == reason]


def totals(told: str) -> str:
    found = TOTALS.search(told)
    assert found, told
    return found[1]


def test_everything_is_there_after_the_move(tmp_path: Path, scratch_database: str):
    at_home = {
        **environment_without_agnes(),
        "HOME": str(tmp_path),
        "SECRET_KEY": "x" * 50,
        "TOKEN_PEPPER": "y" * 50,
        "LOG_LEVEL": "WARNING",
    }
    old = {**at_home, "AGNES_DATA_DIR": str(tmp_path / "old")}
    shell(f"{MANAGE} migrate --verbosity 0", old)
    for case in ("skills", "fork", "errors"):
        folder = f"telemetry/tests/cases/{case}/dev"
        shell(f"{MANAGE} sessions_import {folder} --user {case}@example.com --create-user", old)
    shell(f"{MANAGE} process_sessions", old)
    leave, arrive = steps()
    before = totals(shell(leave, old))
    assert "3 people, 4 transcripts" in before
    with s3_server() as server:
        new = {
            **at_home,
            **server.options,
            "AGNES_DATA_DIR": str(tmp_path / "new"),
            "DATABASE_URL": scratch_database or f"sqlite:///{tmp_path}/elsewhere.sqlite3",
            "AGNES_STORAGE_URL": f"s3://{BUCKET}/files",
            "AGNES_LAKE_URL": f"s3://{BUCKET}/lake",
        }
        told = shell(arrive, new)
        assert totals(told) == before
        assert "This installation is whole." in told
        assert totals(shell(f"{MANAGE} backup {tmp_path}/again.tar", new)) == before
        # What is there anew is a machine that keeps nothing.
        shell(f"rm -r {tmp_path}/new && {MANAGE} verify", new)
    assert [path.name for path in (tmp_path / "new").rglob("*.zst")] == []
