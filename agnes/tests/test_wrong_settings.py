"""Settings that Agnes cannot run with: plain sentences that name the cure, and no traceback."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.conf import settings

from agnes.tests.server import environment_without_agnes, free_port

PYTHON = sys.executable
MIGRATE = [PYTHON, "manage.py", "migrate"]
DOORS = {
    "start": [PYTHON, "manage.py", "start"],
    "migrate": MIGRATE,
    "worker": [PYTHON, "manage.py", "qcluster"],
    "make run": ["make", "--silent", "--old-file=.venv/.server", "run"],
    "web server": [PYTHON, "-m", "gunicorn", "agnes.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"],
}
# Root may write anywhere, so it gives that up here.
WITHOUT_OVERRIDE = [] if os.getuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def run(command: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env={**environment_without_agnes(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def refusal(command: Sequence[str], **variables: str) -> str:
    done = run(command, **variables)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


CASES = [
    ({"DEBUG": "maybe"}, ["use true or false"]),
    ({"AGNES_WORKER_PROCESSES": "0"}, ["use 1 or more"]),
    ({"AGNES_WORKER_PROCESSES": "two"}, ["use a whole number"]),
    ({"SCHEDULER_USAGE_PROCESSOR_INTERVAL": "61"}, ["use a multiple of 60"]),
    *(
        ({"USAGE_EVENTS_RETENTION_DAYS": days}, ["use 0 to keep everything, or 61 to 36500 days"])
        for days in ("-1", "60", "many", "36501", "1e3")
    ),
    ({"TRANSCRIPTS_RETENTION_DAYS": "-30"}, ["use 0 to keep everything, or 1 to 36500 days"]),
    ({"SCHEDULER_USAGE_PRUNE_INTERVAL": "0"}, ["use 60 or more"]),
    ({"AGNES_BIND": "nonsense"}, ["use host:port"]),
    *(
        ({"AGNES_BIND": bind}, ["use host:port"])
        for bind in ("8000", "localhost:", "a:http", "a:70000", "::1:8000")
    ),
    *(
        ({"AGNES_URL": url}, ["use http:// or https://"])
        for url in ("agnes.example", "http://", "http://[::1")
    ),
    ({"AGNES_METRICS_BIND": "9464"}, ["use host:port"]),
    ({"AGNES_METRICS_BIND": "10.0.0.5:8000"}, ["use another port"]),
    ({"AGNES_LOG_FORMAT": "xml"}, ["use text or json"]),
    ({"AGNES_MARKETPLACE_NAME": "agent-skills"}, ["is reserved by Claude Code"]),
    ({"AGNES_MARKETPLACE_NAME": "Acme tools"}, ["small letters, digits and single hyphens"]),
    ({"SEED_ADMIN_EMAIL": "notanemail"}, ["is no e-mail address"]),
    ({"LOG_LEVEL": "loud"}, ["use DEBUG, INFO, WARNING or ERROR"]),
]


class TestWrongSettings:
    @pytest.mark.parametrize(("variables", "cures"), CASES, ids=str)
    def test_it_names_variable_value_and_cure(
        self, variables: Mapping[str, str], cures: list[str], tmp_path: Path
    ):
        told = refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path), **variables).splitlines()
        [(name, value)] = variables.items()
        assert len(told) == 1, told
        assert told[0].startswith(f"{name}={value!r} ")
        assert all(cure in told[0] for cure in cures)

    @pytest.mark.parametrize(
        "url", ["mysql://u:hidden@db/agnes", "db.internal", "postgres://u:hidden@db:x/agnes"]
    )
    def test_another_database_is_not_blamed_on_the_secrets_nor_shown_with_its_password(
        self, url: str, tmp_path: Path
    ):
        told = refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path), DATABASE_URL=url)
        assert told.startswith("DATABASE_URL=")
        assert "postgres://" in told
        assert "sqlite:///" in told
        assert "SECRET_KEY" not in told
        assert "hidden" not in told

    @pytest.mark.parametrize(
        "url", ["postgres://u:hidden@127.0.0.1:1/agnes", "sqlite:////nowhere/agnes.sqlite3"]
    )
    @pytest.mark.parametrize("door", ["migrate", "make run"])
    def test_a_database_that_cannot_be_opened(self, url: str, door: str, tmp_path: Path):
        secrets = {"SECRET_KEY": "x" * 50, "TOKEN_PEPPER": "x" * 50}
        bind = f"127.0.0.1:{free_port()}"
        told = refusal(
            DOORS[door],
            AGNES_DATA_DIR=str(tmp_path),
            AGNES_LAKE_URL=str(tmp_path / "lake"),
            AGNES_BIND=bind,
            DATABASE_URL=url,
            **secrets,
        )
        assert told.startswith("The database cannot be opened: ")
        assert "Correct DATABASE_URL" in told
        assert "hidden" not in told

    def test_it_tells_all_mistakes_at_once(self, tmp_path: Path):
        told = refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path), DEBUG="maybe", AGNES_WORKER_PROCESSES="0")
        assert [line.split("=")[0] for line in told.splitlines()] == ["DEBUG", "AGNES_WORKER_PROCESSES"]

    def test_a_provider_needs_the_rest(self, tmp_path: Path):
        told = refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path), OIDC_ISSUER="https://accounts.google.com")
        names = ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ALLOWED_DOMAINS")
        assert told.splitlines() == [
            f"{name} is not set, and OIDC_ISSUER needs it: set both or neither." for name in names
        ]

    @pytest.mark.parametrize("door", DOORS)
    def test_it_does_so_at_every_door(self, door: str, tmp_path: Path):
        told = refusal(DOORS[door], AGNES_DATA_DIR=str(tmp_path), DEBUG="maybe")
        assert "DEBUG='maybe' is neither true nor false: use true or false." in told

    def test_a_traceback_can_be_asked_for(self, tmp_path: Path):
        done = run([*MIGRATE, "--traceback"], AGNES_DATA_DIR=str(tmp_path), DEBUG="maybe")
        assert done.returncode != 0
        assert "Traceback" in done.stderr

    def test_a_wrong_setting_writes_nothing(self, tmp_path: Path):
        refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path / "new"), DATABASE_URL="mysql://db/agnes")
        assert list((tmp_path / "new").iterdir()) == []

    @pytest.mark.parametrize("name", ["AGNES_DATA_DIR", "DEBUG", "AGNES_WORKER_PROCESSES", "ALLOWED_HOSTS"])
    def test_an_empty_variable_is_as_good_as_none(self, name: str):
        show = (
            "from agnes import settings as s; print(s.DATA_DIR, s.DEBUG, s.WORKER_PROCESSES, s.ALLOWED_HOSTS)"
        )
        without, empty = (run([PYTHON, "-c", show], **variables) for variables in ({}, {name: ""}))
        assert without.stdout.startswith(str(settings.BASE_DIR / "var"))
        assert empty.stdout == without.stdout


class TestWeakPasswordOfTheFirstAdmin:
    @pytest.mark.parametrize("door", ["make run", "seed_admin"])
    def test_it_stops_the_start_and_is_not_shown(self, door: str, tmp_path: Path):
        variables = {"AGNES_DATA_DIR": str(tmp_path), "AGNES_BIND": f"127.0.0.1:{free_port()}"}
        assert run([*MIGRATE, "--verbosity", "0"], **variables).returncode == 0
        command = DOORS.get(door, [PYTHON, "manage.py", door])
        told = refusal(command, **variables, SEED_ADMIN_PASSWORD="hunter2")
        assert "SEED_ADMIN_PASSWORD is too weak" in told
        assert "too short" in told
        assert "hunter2" not in told


class TestUnusableDataFolder:
    @pytest.mark.parametrize("door", DOORS)
    def test_a_file_in_its_place(self, door: str, tmp_path: Path):
        file = tmp_path / "file"
        file.touch()
        told = refusal(DOORS[door], AGNES_DATA_DIR=str(file))
        assert f"AGNES_DATA_DIR={str(file)!r}" in told
        assert "(it is no folder)" in told
        assert "TOKEN_PEPPER" not in told

    @pytest.mark.parametrize("has_secrets", [False, True])
    @pytest.mark.parametrize("door", ["start", "migrate", "web server"])
    def test_a_folder_that_may_only_be_read(self, door: str, has_secrets: bool, tmp_path: Path):
        folder = tmp_path / "read-only"
        folder.mkdir()
        if has_secrets:
            (folder / "secret_key").write_text("x" * 50)
            (folder / "token_pepper").write_text("x" * 50)
        folder.chmod(0o500)
        told = refusal([*WITHOUT_OVERRIDE, *DOORS[door]], AGNES_DATA_DIR=str(folder))
        assert f"AGNES_DATA_DIR={str(folder)!r}" in told
        assert "set AGNES_DATA_DIR to another" in told

    def test_a_secret_that_may_not_be_read(self, tmp_path: Path):
        (tmp_path / "secret_key").touch(0o000)
        told = refusal([*WITHOUT_OVERRIDE, *MIGRATE], AGNES_DATA_DIR=str(tmp_path))
        assert f"SECRET_KEY is kept in {tmp_path}/secret_key" in told

    def test_a_secret_that_is_empty(self, tmp_path: Path):
        (tmp_path / "secret_key").touch(0o600)
        told = refusal(MIGRATE, AGNES_DATA_DIR=str(tmp_path))
        assert f"SECRET_KEY is kept in {tmp_path}/secret_key" in told
