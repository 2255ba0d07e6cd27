"""kill -9 of the real web server and the real worker at random moments, while people upload."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from accounts.models import Scope, User
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.processing import process
from telemetry.tests.figures import processed, upload, usage_of
from telemetry.tests.kills.servers import Server, task_worker, wait_until_up, web_server
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PATIENCE_SECONDS = 120
ANSWERED = {200, 201}


@pytest.fixture
def servers(settings: Any) -> Iterator[tuple[Server, Server, str]]:
    settings.PROCESSOR_CLAIM_SECONDS = 2
    web, url = web_server(settings)
    worker = task_worker(settings)
    web.start()
    worker.start()
    try:
        wait_until_up(url)
        yield web, worker, url
    finally:
        web.kill()
        worker.kill()


def files() -> list[bytes]:
    """Sessions that grow twice while they are uploaded, and forks of them."""
    contents = []
    for number in range(12):
        for calls in (2, 20, 60):
            contents.append(session(f"s{number}", calls=calls, at=number * 100))
    for number in range(4):
        origin = session(f"s{number}", calls=15, at=number * 100)
        contents.append(origin.replace(f'"sessionId":"s{number}"'.encode(), b'"sessionId":"fork%d"' % number))
    return contents


def send(url: str, token: str, content: bytes) -> None:
    """As a client does: again and again until it is acknowledged."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.post(f"{url}/api/upload/sessions", content=content, headers=headers, timeout=10)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.status_code in ANSWERED:
            return
        time.sleep(0.2)
    raise TimeoutError("an upload was never acknowledged")


def kill_and_restart(servers: list[Server], kills: int, chance: random.Random, done: threading.Event) -> int:
    killed = 0
    while killed < kills and not done.is_set():
        time.sleep(chance.uniform(0.2, 2.0))
        victim = chance.choice(servers)
        victim.kill()
        victim.start()
        killed += 1
    return killed


def survives(
    seed: int, kills: int, servers: tuple[Server, Server, str], people: tuple[User, User], token: str
) -> None:
    bob, charlie = people
    web, worker, url = servers
    chance = random.Random(seed)
    contents = files()
    for content in contents:
        upload(charlie, content)
    processed()
    chance.shuffle(contents)
    done = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        killer = pool.submit(kill_and_restart, [web, worker], kills, chance, done)
        for sent in [pool.submit(send, url, token, content) for content in contents]:
            sent.result()
        done.set()
        assert killer.result() > 0
    process("usage", wait=True)
    assert usage_of(bob) == usage_of(charlie)
    assert stored() == expected()
    assert not SessionTranscript.objects.pending("usage").exists()
    assert SessionTranscriptPart.objects.filter(transcript__owner=bob, superseded=False).count() == 16


@pytest.mark.sample
def test_a_few_kills(servers: Any, bob: User, charlie: User, token_for: Callable[..., str]) -> None:
    survives(1, 4, servers, (bob, charlie), token_for(bob, Scope.UPLOAD))


@pytest.mark.parametrize("seed", range(2, 8))
def test_many_kills(seed: int, servers: Any, bob: User, charlie: User, token_for: Callable[..., str]) -> None:
    survives(seed, 25, servers, (bob, charlie), token_for(bob, Scope.UPLOAD))
