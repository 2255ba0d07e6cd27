"""A worker keeps its claim for as long as it reads, however slow the storage is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from telemetry import leases
from telemetry.files.storage import read_stored
from telemetry.models import UsageEvent
from telemetry.processors.claims import Claim
from telemetry.processors.runner import run
from telemetry.tests.builders import assistant_line, tool_result, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import upload

pytestmark = pytest.mark.django_db

CLAIM_SECONDS = 5
SECONDS_PER_CHUNK = 3


class SlowStorage:
    """Each chunk takes a while, by a clock that only this storage moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.chunks = 0
        began = timezone.now()
        monkeypatch.setattr(leases, "monotonic", lambda: self.seconds)
        monkeypatch.setattr(timezone, "now", lambda: began + timedelta(seconds=self.seconds))
        monkeypatch.setattr("telemetry.files.storage.read_stored", self.read)

    def read(self, key: str) -> Iterator[bytes]:
        for chunk in read_stored(key):
            self.chunks += 1
            self.seconds += SECONDS_PER_CHUNK
            yield chunk


@pytest.fixture
def storage(settings: Any, monkeypatch: pytest.MonkeyPatch) -> SlowStorage:
    settings.PROCESSOR_CLAIM_SECONDS = CLAIM_SECONDS
    return SlowStorage(monkeypatch)


def large(session_id: str) -> bytes:
    call = tool_use("Bash")
    lines = [
        user_line(sessionId=session_id),
        assistant_line([call], sessionId=session_id),
        user_line(tool_result(call["id"], "x" * 2_000_000), sessionId=session_id),
    ]
    return transcript_bytes(lines)


def test_nobody_takes_over_while_a_file_is_read(
    bob: User, storage: SlowStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(bob, large("s1"))
    taken = []
    read = storage.read

    def read_with_a_rival(key: str) -> Iterator[bytes]:
        for chunk in read(key):
            taken.append(Claim("usage", bob.pk).take())
            yield chunk

    monkeypatch.setattr("telemetry.files.storage.read_stored", read_with_a_rival)
    report = run("usage")
    assert storage.chunks * SECONDS_PER_CHUNK > 3 * CLAIM_SECONDS
    assert not any(taken)
    assert (report.processed, report.held_elsewhere) == (1, False)
    assert UsageEvent.objects.count() == 1


def test_a_claim_that_expired_between_two_chunks_is_lost(
    bob: User, storage: SlowStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(bob, large("s1"))
    monkeypatch.setattr(f"{__name__}.SECONDS_PER_CHUNK", CLAIM_SECONDS + 1)
    rivals = [Claim("usage", bob.pk)]
    read = storage.read

    def read_with_a_rival(key: str) -> Iterator[bytes]:
        for chunk in read(key):
            if rivals:
                assert rivals.pop().take()
            yield chunk

    monkeypatch.setattr("telemetry.files.storage.read_stored", read_with_a_rival)
    report = run("usage")
    assert (report.processed, report.failed, report.held_elsewhere) == (0, 0, True)
    assert storage.chunks == 1
    assert not UsageEvent.objects.exists()
