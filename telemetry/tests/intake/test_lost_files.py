"""A stored file that was lost or damaged: the same bytes restore it, and others are told the truth."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django_q.models import OrmQ

from accounts.models import AuditLog
from telemetry.models import MAX_ATTEMPTS, SessionProcessorState, SessionTranscriptPart, UsageEvent
from telemetry.processors import wakeup
from telemetry.processors.runner import run
from telemetry.tests.intake.conftest import Upload, error_of
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db

WHOLE, BEGINNING, LONGER = (session("s1", calls=calls) for calls in (200, 100, 300))


def lose(content: bytes) -> None:
    default_storage.delete(_key())


def cut_short(content: bytes) -> None:
    default_storage.save(_key(), ContentFile(content[: len(content) // 2]))


def scramble(content: bytes) -> None:
    default_storage.save(_key(), ContentFile(content[:100] + b"\xff" * (len(content) - 99)))


@pytest.fixture(params=[lose, cut_short, scramble])
def lost_upload(upload: Upload, request: Any) -> Upload:
    """bob's upload, after the file that it stored was lost or damaged, and given up by the processor."""
    upload(WHOLE)
    with default_storage.open(_key()) as stored:
        content = stored.read()
    damage: Callable[[bytes], None] = request.param
    damage(content)
    for _ in range(MAX_ATTEMPTS):
        assert run("usage").failed == 1
    assert run("usage").failed == 0
    OrmQ.objects.all().delete()
    wakeup.note_started()
    return upload


def test_the_same_bytes_restore_it(lost_upload: Upload, stored_files: Any) -> None:
    answer = lost_upload(WHOLE)
    assert (answer.status_code, answer.json()["status"], answer.json()["revision"]) == (200, "same", 1)
    [warning] = answer.json()["warnings"]
    assert "has been restored" in warning
    assert len(stored_files()) == 1
    assert AuditLog.objects.filter(action="session.restore").count() == 1
    assert OrmQ.objects.count() == 1
    assert run("usage").processed == 1
    assert UsageEvent.objects.count() == 200
    assert lost_upload(WHOLE).json()["warnings"] == []


def test_a_shorter_file_is_told_what_is_wrong(lost_upload: Upload) -> None:
    answer = lost_upload(BEGINNING)
    assert answer.status_code == 409
    error = error_of(answer)
    assert error["code"] == "stored_file_lost"
    assert "missing or damaged" in error["message"]
    assert _key() in error["hint"]
    assert SessionTranscriptPart.objects.count() == 1


def test_a_longer_file_takes_its_place(lost_upload: Upload) -> None:
    assert lost_upload(LONGER).json()["status"] == "grown"
    assert run("usage").processed == 1
    assert UsageEvent.objects.count() == 300


def test_what_was_done_before_stays_done(upload: Upload) -> None:
    upload(WHOLE)
    run("usage")
    lose(b"")
    upload(WHOLE)
    assert run("usage").processed == 0
    assert SessionProcessorState.objects.get().attempts == 1


def _key() -> str:
    return SessionTranscriptPart.objects.select_related("transcript").get(superseded=False).storage_key
