"""Files of old transcripts go; what was extracted of them stays, and what comes again is compared with it."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.maintenance import pruning
from telemetry.models import (
    DoomedFile,
    SessionProcessorState,
    SessionTranscript,
    SessionTranscriptPart,
    UsageEvent,
)
from telemetry.processors.processing import process
from telemetry.processors.reprocessing import process_again
from telemetry.strays import stored_files
from telemetry.tests.builders import transcript_bytes
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.maintenance.test_private import fork, lines
from telemetry.tests.maintenance.test_prune import DAY
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import Clock
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db
# Before the retention of 30 days.
OLD = -40 * DAY


@pytest.fixture
def world(bob: User, clock: Clock, settings: Any) -> dict[str, Any]:
    """An old session and a new one, pruned; what was extracted of both."""
    settings.TRANSCRIPTS_RETENTION_DAYS = 30
    upload(bob, session("old", calls=3, at=OLD))
    upload(bob, session("new", calls=2))
    process_all()
    before = {"usage": usage_of(bob), "rollups": stored()}
    assert pruning.prune(actor=None).removed["transcripts"] == 1
    return before


def process_all() -> None:
    process("usage")
    process("verification")


def transcript(name: str) -> SessionTranscript:
    return SessionTranscript.objects.get(session_id=name)


def files(folder: Path) -> list[Path]:
    return list((folder / "transcripts").rglob("*.zst"))


@pytest.fixture
def get(client: Client, alice: User, bob: User, token_for: Callable[..., str]) -> Callable[..., Any]:
    headers = {"Authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
    return lambda path: client.get(f"/api/admin/users/{bob.pk}/sessions{path}", headers=headers)


class TestPruning:
    def test_its_file_goes_and_its_rows_stay(self, world: dict[str, Any], bob: User, settings: Any):
        assert len(files(settings.DATA_DIR)) == 1
        assert transcript("old").content_removed_at
        assert not transcript("new").content_removed_at
        assert {"usage": usage_of(bob), "rollups": stored()} == world
        assert not DoomedFile.objects.exists()
        assert AuditLog.objects.get(action="usage.prune").params["transcripts"] == 1

    def test_the_doctor_misses_nothing(self, world: dict[str, Any]):
        assert list(stored_files.examine(timedelta(0))) == []

    def test_what_is_not_done_keeps_its_file(self, bob: User, clock: Clock, settings: Any):
        """It waits for an operator, and its figures would be lost with it."""
        settings.TRANSCRIPTS_RETENTION_DAYS = 30
        upload(bob, session("old", at=OLD))
        process_all()
        states = SessionProcessorState.objects.filter(processor_name="usage")
        states.update(processed_at=None, attempts=3)
        outcome = pruning.prune(actor=None)
        assert (outcome.removed["transcripts"], outcome.waiting) == (0, 1)
        assert len(files(settings.DATA_DIR)) == 1

    def test_in_batches(self, bob: User, clock: Clock, settings: Any, monkeypatch: Any):
        settings.TRANSCRIPTS_RETENTION_DAYS = 30
        for number in range(5):
            upload(bob, session(f"s{number}", at=OLD + number))
        process_all()
        monkeypatch.setattr("telemetry.maintenance.old_transcripts.BATCH", 2)
        assert pruning.prune(actor=None).removed["transcripts"] == 5
        assert files(settings.DATA_DIR) == []


class TestReading:
    def test_a_download_says_that_it_is_gone(self, world: dict[str, Any], get: Callable[..., Any], bob: User):
        answer = get(f"/u{bob.pk}_old.jsonl/download")
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "removed_by_retention")

    def test_the_zip_names_what_it_lacks(self, world: dict[str, Any], get: Callable[..., Any]):
        with zipfile.ZipFile(io.BytesIO(b"".join(get("/download-all")))) as archive:
            assert archive.namelist() == ["new.jsonl", "NOT-INCLUDED.txt"]
            assert "retention removed its file" in archive.read("NOT-INCLUDED.txt").decode()
        row = AuditLog.objects.filter(action="session.download_all").earliest("pk")
        assert row.params["file_count"] == 1

    def test_its_page_says_so_too(self, world: dict[str, Any], client: Client, alice: User, bob: User):
        client.force_login(alice)
        page = client.get(f"/admin/telemetry/sessiontranscript/u{bob.pk}_old.jsonl/read/")
        assert page.status_code == 200
        assert "Retention removed the file of this transcript" in page.content.decode()


class TestUploadingAgain:
    @pytest.mark.parametrize(("calls", "status"), [(3, "same"), (2, "shorter")])
    def test_nothing_is_stored_again(
        self, calls: int, status: str, world: dict[str, Any], bob: User, settings: Any
    ):
        assert upload(bob, session("old", calls=calls, at=OLD)) == status
        assert len(files(settings.DATA_DIR)) == 1
        assert not SessionTranscript.objects.pending("usage").exists()

    def test_nor_what_differs_from_what_was_there(self, world: dict[str, Any], bob: User, settings: Any):
        assert upload(bob, session("old", calls=9, at=OLD + 1)) == "shorter"
        assert len(files(settings.DATA_DIR)) == 1

    def test_a_session_that_goes_on_comes_back_whole(
        self, world: dict[str, Any], bob: User, charlie: User, settings: Any
    ):
        grown = session("old", calls=3, at=OLD) + session("old", calls=5)[len(session("old", calls=3)) :]
        assert upload(bob, grown) == "grown"
        assert transcript("old").content_removed_at is None
        process_all()
        for content in (grown, session("new", calls=2)):
            upload(charlie, content)
        process_all()
        assert usage_of(bob) == usage_of(charlie)
        assert len(files(settings.DATA_DIR)) == 4

    def test_the_answer_says_so(
        self, world: dict[str, Any], client: Client, bob: User, token_for: Callable[..., str]
    ):
        answer = client.post(
            "/api/upload/sessions",
            session("old", calls=3, at=OLD),
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"},
        )
        assert "Retention has removed this session's file" in answer.json()["warnings"][0]


class TestAfterwards:
    def test_nobody_has_it_processed_again(self, world: dict[str, Any], bob: User, alice: User):
        assert process_again(SessionTranscript.objects.all(), by=alice) == 1
        process_all()
        assert {"usage": usage_of(bob), "rollups": stored()} == world

    def test_a_copy_of_its_records_counts_no_more_than_before(self, bob: User, clock: Clock, settings: Any):
        settings.TRANSCRIPTS_RETENTION_DAYS = 30
        origin = lines("origin", 3, at=OLD)
        upload(bob, transcript_bytes(origin))
        process_all()
        pruning.prune(actor=None)
        upload(bob, transcript_bytes(fork(origin, "z-fork", own=2)))
        process_all()
        assert UsageEvent.objects.count() == 5
        assert stored() == expected()

    @pytest.mark.parametrize("name", ["a-fork", "z-fork"])
    def test_rows_of_its_that_copy_what_became_private_go(
        self, name: str, bob: User, clock: Clock, settings: Any, client: Client, token_for: Callable[..., str]
    ):
        """As far as they tell of which record they are: it cannot be extracted anew."""
        settings.TRANSCRIPTS_RETENTION_DAYS = 30
        origin = lines("secret", 3, at=OLD)
        forked = [*(line | {"sessionId": name} for line in origin), *lines(name, 2, at=OLD + 99)]
        for content in (transcript_bytes(origin), transcript_bytes(forked)):
            upload(bob, content)
        process_all()
        pruning.prune(actor=None)
        headers = {"Authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
        assert client.delete("/api/sessions/secret", headers=headers).json()["complete"]
        assert UsageEvent.objects.filter(session_id=name).count() == UsageEvent.objects.count() == 2
        assert in_lake() == in_database()
        assert stored() == expected()
        assert SessionTranscriptPart.objects.count() == 1
