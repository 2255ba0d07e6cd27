"""A command on a database without tables, or with an older version's: a sentence that names the cure."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from agnes.tests.server import environment_without_agnes

TRANSCRIPTS = "telemetry/tests/ten/error"
# They all go the same way, so `make test` has those that first ask the database in different places.
COMMANDS = [
    "createtoken bob@example.com --scope upload",
    "process_sessions",
    *(
        pytest.param(command, marks=pytest.mark.slow)
        for command in (
            "demo --force",
            "lake_rebuild",
            "seed_admin",
            f"sessions_import {TRANSCRIPTS} --user bob@example.com",
            "usage_export",
        )
    ),
]
PASSWORD = "hidden"


@pytest.fixture
def variables(tmp_path: Path, transactional_db: None) -> Iterator[dict[str, str]]:
    """Of an empty database of the kind that the suite runs on."""
    secrets = {"SECRET_KEY": "x" * 50, "TOKEN_PEPPER": "x" * 50}
    lake = {"AGNES_LAKE_URL": str(tmp_path / "lake")}
    variables = {**environment_without_agnes(), **lake, "AGNES_DATA_DIR": str(tmp_path)}
    if connection.vendor == "sqlite":
        yield variables
        return
    name = f"{connection.settings_dict['NAME']}_without_tables"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        yield {**variables, **secrets, "DATABASE_URL": url(name)}
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def url(name: str) -> str:
    server = connection.settings_dict
    password = server["PASSWORD"] or PASSWORD
    return f"postgres://{server['USER']}:{password}@{server['HOST']}:{server['PORT'] or 5432}/{name}"


def named(variables: dict[str, str]) -> str:
    if "DATABASE_URL" in variables:
        return variables["DATABASE_URL"].partition("@")[2]
    return str(Path(variables["AGNES_DATA_DIR"]) / "agnes.sqlite3")


def run(command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=settings.BASE_DIR,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_told(done: subprocess.CompletedProcess[str], variables: dict[str, str]) -> None:
    assert done.returncode != 0
    [line] = done.stderr.splitlines()
    assert line.startswith(f"The database {named(variables)} lacks tables")
    assert all(cure in line for cure in ("`manage.py migrate`", "AGNES_DATA_DIR", "DATABASE_URL"))
    assert PASSWORD not in done.stderr


class TestWithoutTables:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_it_names_database_and_cure(self, command: str, variables: dict[str, str]):
        assert_told(run(command, variables), variables)

    def test_a_traceback_can_be_asked_for(self, variables: dict[str, str]):
        assert "Traceback" in run("process_sessions --traceback", variables).stderr


def test_an_older_versions_tables_are_told_too(variables: dict[str, str]):
    assert run("migrate --verbosity 0 telemetry 0001", variables).returncode == 0
    assert_told(run("lake_rebuild", variables), variables)
