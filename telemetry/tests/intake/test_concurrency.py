"""Several clients at the same moment: as if one had come after the other."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.files.storage import default_storage
from django.db import connections

from accounts.models import AuditLog, User
from telemetry.intake.storing import StoredTranscript, store_transcript
from telemetry.models import SessionTranscript, SessionTranscriptPart, storage_key
from telemetry.tests.builders import assistant_line, moment, transcript_bytes, user_line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]

LINES = [user_line(f"prompt {number}", timestamp=moment(number)) for number in range(12)]
CLIENTS = 6


def upload_at_once(owner: User, files: list[bytes]) -> list[StoredTranscript]:
    """All clients have sent everything but the end of their file when the first may go on."""
    barrier = Barrier(len(files), timeout=30)

    def chunks(raw: bytes) -> Iterator[bytes]:
        yield raw[:-1]
        barrier.wait()
        yield raw[-1:]

    def run(raw: bytes) -> StoredTranscript:
        try:
            return store_transcript(owner, chunks(raw))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(run, files))


def assert_files_match_rows(owner: User, stored_files: Callable[[], list[str]]) -> None:
    live = SessionTranscriptPart.objects.live()
    assert stored_files() == sorted(f"{part.sha256}.jsonl.zst" for part in live)
    assert all(default_storage.exists(storage_key(owner.pk, part.sha256)) for part in live)


def test_the_same_bytes_are_stored_once(bob, stored_files):
    raw = transcript_bytes(LINES)
    answers = upload_at_once(bob, [raw] * CLIENTS)
    assert Counter(answer.status.value for answer in answers) == {"new": 1, "same": CLIENTS - 1}
    assert SessionTranscript.objects.get().revision == 1
    assert SessionTranscriptPart.objects.count() == 1
    assert AuditLog.objects.filter(action="session.upload").count() == 1
    assert_files_match_rows(bob, stored_files)


@pytest.mark.parametrize("round_number", range(3))
def test_growing_files_end_with_the_longest(bob, stored_files, round_number):
    files = [transcript_bytes(LINES[: 2 * count]) for count in range(1, CLIENTS + 1)]
    answers = upload_at_once(bob, files)
    transcript = SessionTranscript.objects.get()
    part = SessionTranscriptPart.objects.live().get()
    assert part.sha256 == hashlib.sha256(files[-1]).hexdigest()
    changes = Counter(answer.status.value for answer in answers)
    assert transcript.revision == changes["new"] + changes["grown"]
    assert changes["diverged"] == 0
    assert_files_match_rows(bob, stored_files)


def test_forks_are_all_kept(bob, stored_files):
    trunk = transcript_bytes(LINES[:3])
    files = [trunk + transcript_bytes([assistant_line(uuid=f"fork {n}")]) for n in range(CLIENTS)]
    answers = upload_at_once(bob, files)
    assert Counter(answer.status.value for answer in answers) == {"new": 1, "diverged": CLIENTS - 1}
    assert SessionTranscript.objects.get().revision == CLIENTS
    assert SessionTranscriptPart.objects.live().count() == CLIENTS
    assert_files_match_rows(bob, stored_files)


def test_several_people_and_sessions(bob, charlie, stored_files):
    files = [transcript_bytes([user_line(sessionId=f"session-{n}")]) for n in range(CLIENTS)]
    upload_at_once(bob, files)
    upload_at_once(charlie, files)
    assert SessionTranscript.objects.filter(owner=bob).count() == CLIENTS
    assert SessionTranscript.objects.filter(owner=charlie).count() == CLIENTS
