"""The files in deploy/ do what docs/DEPLOYMENT.md says."""

import gzip
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from dotenv import dotenv_values

from accounts import tasks
from agnes import env, gunicorn_config
from agnes.supervisor import GRACE_SECONDS
from agnes.tests.server import environment_without_agnes
from agnes.tests.test_logs import WebServer, running_web_server

ROOT: Path = settings.BASE_DIR
DEPLOY = ROOT / "deploy"
UNITS = ("agnes-web.service", "agnes-worker.service")
HOST = "agnes.example.com"
OVER_TLS = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """deploy/agnes.env, on a machine that was prepared as the page says, as far as it matters here."""
    documented = {name: value or "" for name, value in dotenv_values(DEPLOY / "agnes.env").items()}
    folder = tmp_path_factory.mktemp("deployed") / "new"
    variables = {**documented, "AGNES_DATA_DIR": str(folder)}
    done = manage("collectstatic --no-input --verbosity 0", variables)
    assert done.returncode == 0, done.stderr
    return variables


def manage(command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env={**environment_without_agnes(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def server(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with running_web_server(tmp_path_factory.mktemp("server"), **variables) as server:
        yield server


class TestSettings:
    def test_check_deploy_has_nothing_to_say(self, variables: dict[str, str]):
        done = manage("check --deploy --fail-level WARNING", variables)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "System check identified no issues (1 silenced).\n"

    def test_they_are_known(self):
        assert set(dotenv_values(DEPLOY / "agnes.env")) <= env.KNOWN

    def test_people_are_sent_on_to_tls(self, server: WebServer):
        answer = httpx.get(f"{server.url}/marketplace/?q=x", headers={"Host": HOST})
        assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/marketplace/?q=x")
        assert httpx.get(f"{server.url}/livez").status_code == 200

    def test_pages_have_the_headers(self, server: WebServer):
        answer = httpx.get(f"{server.url}/admin/login/", headers=OVER_TLS)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=2592000; includeSubDomains"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "; Secure" in answer.headers["Set-Cookie"]

    def test_other_names_are_refused(self, server: WebServer):
        answer = httpx.get(f"{server.url}/admin/login/", headers={**OVER_TLS, "Host": "evil.example"})
        assert answer.status_code == 400

    def test_no_client_says_below_which_path_agnes_lies(self, server: WebServer):
        """Else an address that Caddy lets through would lead to the probes, which it does not pass on."""
        told = {**OVER_TLS, "SCRIPT_NAME": "/elsewhere"}
        assert httpx.get(f"{server.url}/elsewhere/livez", headers=told).status_code == 404
        assert httpx.get(f"{server.url}/livez", headers=told).status_code == 200

    def test_static_files_are_kept_by_browsers_and_compressed(self, server: WebServer):
        page = httpx.get(f"{server.url}/admin/login/", headers=OVER_TLS).text
        [style] = set(re.findall(r"/static/agnes/tokens\.[0-9a-f]{12}\.css", page))
        with httpx.stream(
            "GET", f"{server.url}{style}", headers={**OVER_TLS, "Accept-Encoding": "gzip"}
        ) as answer:
            raw = b"".join(answer.iter_raw())
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
        assert "immutable" in answer.headers["Cache-Control"]
        assert gzip.decompress(raw) == (ROOT / "static/agnes/tokens.css").read_bytes()
        assert httpx.get(f"{server.url}/static/agnes/logo.svg", headers=OVER_TLS).status_code == 200


def unit(name: str) -> dict[str, dict[str, str]]:
    parser = RawConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(DEPLOY / name)
    return {section: dict(parser[section]) for section in parser.sections()}


@pytest.mark.parametrize("name", UNITS)
class TestUnits:
    def test_it_runs_what_is_there_as_its_own_user(self, name: str):
        service = unit(name)["Service"]
        program, *arguments = service["ExecStart"].split()
        assert (ROOT / Path(program).relative_to("/opt/agnes")).exists()
        assert arguments in (
            ["--config", "python:agnes.gunicorn_config", "agnes.wsgi"],
            ["manage.py", "qcluster"],
        )
        assert (service["User"], service["WorkingDirectory"]) == ("agnes", "/opt/agnes")
        assert unit(name)["Install"]["WantedBy"] == "multi-user.target"

    def test_it_may_write_to_the_data_folder_alone(self, name: str):
        service = unit(name)["Service"]
        assert service["ProtectSystem"] == "strict"
        assert (
            f"/var/lib/{service['StateDirectory']}" == dotenv_values(DEPLOY / "agnes.env")["AGNES_DATA_DIR"]
        )
        assert (service["StateDirectoryMode"], service["UMask"]) == ("0700", "0077")

    def test_systemd_understands_it(self, name: str, tmp_path: Path):
        if not shutil.which("systemd-analyze"):
            pytest.skip("systemd is not installed here")
        text = (DEPLOY / name).read_text().replace("/opt/agnes", str(ROOT))
        (tmp_path / name).write_text(text.replace("=agnes\nGroup=agnes", "=root\nGroup=root"))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        about_it = [line for line in done.stderr.splitlines() if name in line]
        assert (done.returncode, about_it) == (0, [])


def test_both_units_are_confined_alike():
    web, worker = (unit(name)["Service"] for name in UNITS)
    differ = {key for key in web.keys() | worker.keys() if web.get(key) != worker.get(key)}
    assert differ <= {"Type", "ExecStart", "Restart", "RestartPreventExitStatus", "TimeoutStopSec"}


def test_the_worker_is_stopped_as_its_queue_needs_it():
    service = unit("agnes-worker.service")["Service"]
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) >= GRACE_SECONDS


def test_a_web_server_with_wrong_settings_is_not_restarted_for_ever(variables: dict[str, str]):
    _, *arguments = unit("agnes-web.service")["Service"]["ExecStart"].split()
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", *arguments],
        cwd=ROOT,
        env={**environment_without_agnes(), **variables, "AGNES_PROXIES": "one"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert str(done.returncode) == unit("agnes-web.service")["Service"]["RestartPreventExitStatus"]
    assert done.stderr == "AGNES_PROXIES='one' is not a number: use a whole number.\n"


Block = dict[str, Any]


def caddyfile(text: str) -> Block:
    """Directives with their arguments; of those that open a block, what is in it."""
    lines = iter(
        [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    )
    return _block(lines)


def _block(lines: Iterator[str]) -> Block:
    found: Block = {}
    for line in lines:
        if line == "}":
            break
        name, _, rest = line.partition(" ")
        found[line.removesuffix(" {") if line.endswith("{") else name] = (
            _block(lines) if line.endswith("{") else rest
        )
    return found


class TestCaddyfile:
    def test_it_leads_to_the_web_server(self):
        [(host, site)] = caddyfile((DEPLOY / "Caddyfile").read_text()).items()
        assert host == HOST
        proxy = site[f"reverse_proxy {settings.AGNES_BIND}"]
        assert proxy["flush_interval"] == "-1"
        assert proxy["header_up"] == "X-Request-ID {http.request.uuid}"
        assert site["@inside"] == "path /metrics /readyz"
        assert site["respond"] == "@inside 404"

    def test_it_lets_through_what_may_be_uploaded(self):
        [site] = caddyfile((DEPLOY / "Caddyfile").read_text()).values()
        size = site["request_body"]["max_size"]
        assert size.endswith("MB")
        assert int(size[:-2]) * 10**6 > settings.UPLOAD_MAX_WIRE_BYTES

    def test_caddy_understands_it(self):
        if not shutil.which("caddy"):
            pytest.skip("Caddy is not installed here")
        done = subprocess.run(
            ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


# What Caddy's transport takes where its Caddyfile says nothing, and what systemd does for a service.
CADDY_KEEPALIVE_SECONDS = 120
OPEN_FILES = 1024


def test_whoever_stands_in_front_gives_up_idle_connections_before_the_server_does():
    expiry = httpx.Limits().keepalive_expiry
    assert expiry
    assert gunicorn_config.keepalive > max(expiry, CADDY_KEEPALIVE_SECONDS)
    assert "transport" not in (DEPLOY / "Caddyfile").read_text()


def test_idle_connections_leave_files_to_open():
    assert settings.WEB_THREADS < gunicorn_config.worker_connections <= OPEN_FILES / 2
    for name in UNITS:
        assert "LimitNOFILE" not in unit(name)["Service"]


@pytest.mark.django_db
def test_sessions_that_are_over_are_removed():
    for seconds in (-1, 3600):
        session = SessionStore()
        session.set_expiry(timezone.now() + timedelta(seconds=seconds))
        session.create()
    tasks.clear_sessions()
    assert Session.objects.count() == 1
