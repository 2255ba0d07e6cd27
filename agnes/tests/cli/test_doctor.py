"""agnes doctor"""

import sys
import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections

from accounts.models import Scope, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted, failing
from agnes.tests.server import wait_until
from telemetry.models import SessionTranscript, UsageSessionSummary, WithheldSession

FAILED = 1


def findings(told: dict) -> dict[str, str]:
    return {it["what"]: it["verdict"] for it in told["findings"]}


@pytest.fixture
def worker() -> Iterator[None]:
    """Processes the next transcript that comes."""

    def work() -> None:
        try:
            wait_until(SessionTranscript.objects.exists, 30)
            call_command("process_sessions", verbosity=0)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


@pytest.mark.django_db(transaction=True)
class TestEndToEnd:
    def test_all_is_well(self, laptop: Machine, worker: None):
        laptop.write("s1")
        commands = laptop.home / "bin"
        commands.mkdir()
        (commands / "agnes").write_text(f'#!/bin/sh\nexec {sys.executable} -m agnes.cli "$@"\n')
        (commands / "agnes").chmod(0o755)
        laptop.environment["PATH"] = f"{commands}:{laptop.environment['PATH']}"
        laptop.ok("init")
        told = laptop.json("doctor")
        assert set(findings(told).values()) == {"good"}, told
        assert {"Server", "Upload", "Read", "Remove", "Hooks"} <= set(findings(told))
        # Nothing of it is left but that it may not come back.
        assert not SessionTranscript.objects.exists()
        assert not UsageSessionSummary.objects.exists()
        assert WithheldSession.objects.get().session_id.startswith("agnes-doctor-")

    def test_a_token_that_may_not_is_told_with_the_cure(self, logged_in, bob: User):
        laptop = logged_in(bob, Scope.READ)
        done = laptop.run("doctor")
        assert done.returncode == FAILED
        assert "BAD   Token: It lacks the scope upload.\n      Run `agnes login` again." in done.stdout


def test_without_a_login(machine: Machine):
    done = machine.run("doctor")
    assert done.returncode == FAILED
    assert "BAD   Login: You are not logged in.\n      Run `agnes login" in done.stdout
    assert "BAD   Claude Code: There is no" in done.stdout


def test_a_server_that_is_away_or_fails(client: Machine, server: Scripted):
    server.always = failing(507)
    told = client.run("doctor")
    assert told.returncode == FAILED
    assert "BAD   Upload: No: 507." in told.stdout
    server.stop()
    told = client.run("doctor")
    assert "BAD   Server:" in told.stdout
    assert "whether the server runs" in told.stdout


def test_hooks_that_find_no_client(client: Machine, server: Scripted):
    client.ok("init")
    server.stop()
    told = client.run("doctor", PATH="/usr/bin:/bin")
    assert "BAD   Hooks: The hooks call `agnes`" in told.stdout


def test_a_list_of_private_sessions_that_is_damaged(client: Machine, server: Scripted):
    (client.agnes / "private").mkdir()
    (client.agnes / "private" / "s1.json").write_text("{")
    server.stop()
    assert "BAD   This machine's files" in client.run("doctor").stdout
