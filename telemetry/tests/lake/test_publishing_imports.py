"""The libraries of the lake and of questions cost memory and time: only who publishes or asks pays that."""

import subprocess
import sys

import pytest

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.publishing import publish
from telemetry.tests.kills.servers import ROOT, environment_of
from telemetry.tests.planting import AT

TELL = """
import sys
heavy = ("pyarrow", "deltalake", "duckdb", "numpy", "sqlglot", "httpx", "anthropic")
print([name for name in heavy if name in sys.modules])
"""
PROCESS = "import django; django.setup(); from telemetry.tasks import process_pending; process_pending()"


def imported_by(code: str, settings: object) -> str:
    command = [sys.executable, "-c", f"{code}\n{TELL}"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment_of(settings), capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.django_db(transaction=True)
class TestImports:
    def test_the_web_server_and_an_idle_worker_go_without(self, settings: object):
        publish()
        web = "import agnes.wsgi, agnes.urls; import django.urls; django.urls.get_resolver().url_patterns"
        assert imported_by(web, settings) == "[]"
        assert imported_by(PROCESS, settings) == "[]"

    def test_a_worker_that_publishes_does_not(self, settings: object, bob: User):
        publish()
        mark_dirty([AT.date()])
        assert "pyarrow" in imported_by(PROCESS, settings)
