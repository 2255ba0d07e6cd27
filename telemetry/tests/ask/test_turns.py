"""A person asks one question at a time, the server takes two; a heavy one does not stop it."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from accounts.models import AuditLog, Scope, User
from telemetry.ask.turns import turn_of
from telemetry.tests.ask.messages_api import Say, Server
from telemetry.tests.ask.test_running import EVENTS as EVENTS
from telemetry.tests.ask.test_running import children

URL = "/api/admin/usage/ask"
QUESTION = {"question": "How many?"}
KEEP_LOCKED = """
import fcntl, sys
files = [open(path) for path in sys.argv[1:]]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
input()
"""


@contextmanager
def another_machine(spool: Path, people: list[int]) -> Iterator[None]:
    """These people's questions are being answered there: by another connection, with other files."""
    taken, done = threading.Event(), threading.Event()

    def answer() -> None:
        try:
            with ExitStack() as turns:
                with override_settings(SPOOL_DIR=spool):
                    for person in people:
                        turns.enter_context(turn_of(person))
                taken.set()
                done.wait(60)
        finally:
            connection.close()
            taken.set()

    thread = threading.Thread(target=answer)
    thread.start()
    taken.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()


BOMB = "SELECT list_transform(range(1000000000), lambda x: x)"


@pytest.mark.django_db
class TestBusy:
    @pytest.fixture
    def post(self, client: Client, alice: User, token_for: Callable[..., str], server: Server) -> Any:
        headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
        return lambda: client.post(URL, QUESTION, content_type="application/json", headers=headers)

    def test_two_questions_of_one_person(self, post: Any, alice: User, server: Server) -> None:
        with turn_of(alice.pk):
            answer = post()
        assert answer.status_code == 429
        assert answer["Retry-After"]
        assert answer.json()["error"]["code"] == "ask_busy"
        assert not server.requests
        assert AuditLog.objects.get(action="usage.ask").result == "ask_busy"

    def test_three_on_the_server(self, post: Any, alice: User) -> None:
        with turn_of(alice.pk + 1), turn_of(alice.pk + 2):
            assert post().status_code == 429

    def test_those_of_other_processes_count(self, post: Any, alice: User, server: Server) -> None:
        with turn_of(alice.pk + 1), turn_of(alice.pk + 2):
            pass
        locks = [str(path) for path in Path(settings.SPOOL_DIR, "ask").glob("server-*")]
        command = [sys.executable, "-c", KEEP_LOCKED, *locks]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            assert post().status_code == 429
            other.kill()
        assert len(locks) == 2
        assert not server.requests

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite serves one machine")
    @pytest.mark.parametrize("who", [[0], [1, 2]], ids=["this person", "two others"])
    def test_those_of_other_machines_count(
        self, who: list[int], post: Any, alice: User, server: Server, lake: Any, tmp_path: Path
    ) -> None:
        """They share the database, and no file."""
        with another_machine(tmp_path, [alice.pk + number for number in who]):
            assert post().status_code == 429
            assert not server.requests
        assert post().status_code == 200

    def test_a_turn_ends_whatever_happens(self, post: Any, alice: User, server: Server, lake: Any) -> None:
        server.says = [Say(status=401), Say("SELECT 1")]
        assert [post().status_code, post().status_code] == [503, 200]


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.django_db(transaction=True)
class TestABomb:
    def test_others_are_answered_meanwhile(
        self, live_server: Any, lake: Any, alice: User, token_for: Callable[..., str], server: Server
    ) -> None:
        server.says = [Say(BOMB)]
        before = children()
        headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
        answers: list[httpx.Response] = []

        def ask() -> None:
            url = f"{live_server.url}{URL}"
            answers.append(httpx.post(url, json=QUESTION, headers=headers, timeout=300))

        thread = threading.Thread(target=ask)
        thread.start()
        others = 0
        while thread.is_alive():
            assert httpx.get(f"{live_server.url}/api/openapi.json", timeout=300).status_code == 200
            others += 1
        thread.join()
        assert answers[0].json()["error"]["code"] == "query_too_heavy"
        # The last of them may have waited for it.
        assert others > 1
        assert children() == before
