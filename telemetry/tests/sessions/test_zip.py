"""All transcripts of a person as a zip."""

import base64
import io
import os
import subprocess
import zipfile
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, User
from telemetry.intake.names import session_file_of
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.places import place
from telemetry.sessions.zipping import path_in_zip
from telemetry.tests.builders import assistant_line, transcript_bytes, user_line
from telemetry.tests.figures import upload
from telemetry.tests.planting import plant_transcript
from telemetry.tests.sessions.conftest import go_away, session, subagent

pytestmark = pytest.mark.django_db


def opened(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    return archive


def raw_bytes() -> int:
    return sum(SessionTranscriptPart.objects.filter(superseded=False).values_list("raw_bytes", flat=True))


class TestZip:
    def test_it_holds_every_transcript_with_subagents_in_folders(self, get, bob: User, charlie: User):
        session(bob, "one")
        session(bob, "two", at=5)
        agent = subagent(bob, "two", "a1")
        session(charlie, "three")
        answer = get(bob, "/download-all")
        archive = opened(answer)
        assert archive.namelist() == ["one.jsonl", "two.jsonl", "two/subagents/agent-a1.jsonl"]
        one = get(bob, f"/{agent.session_file}/download").body
        assert archive.read("two/subagents/agent-a1.jsonl") == one
        assert answer["Content-Disposition"] == f'attachment; filename="agnes-sessions-user-{bob.pk}.zip"'
        assert answer["Content-Type"] == "application/zip"

    def test_its_audit_row_says_how_much_it_is(self, get, bob: User, alice: User):
        session(bob, "one")
        subagent(bob, "one", "a1")
        size = raw_bytes()
        get(bob, "/download-all")
        [row] = AuditLog.objects.filter(action="session.download_all")
        assert (row.actor, row.target, row.result) == (alice.pk, f"user:{bob.pk}", "ok")
        assert row.params == {"file_count": 2, "total_bytes": size}

    def test_without_sessions_it_is_empty(self, get, bob: User):
        assert opened(get(bob, "/download-all")).namelist() == []

    def test_a_lost_file_is_named_in_it_and_in_a_second_row(self, get, bob: User):
        session(bob, "one")
        plant_transcript(bob, "lost")
        archive = opened(get(bob, "/download-all"))
        assert archive.namelist() == ["one.jsonl", "NOT-INCLUDED.txt"]
        assert f"u{bob.pk}_lost.jsonl" in archive.read("NOT-INCLUDED.txt").decode()
        last = AuditLog.objects.filter(action="session.download_all").latest("pk")
        assert (last.result, last.params["lost"]) == ("incomplete", 1)

    def test_a_damaged_file_breaks_it_off(self, client: Client, alice: User, bob: User):
        transcript = session(bob, "one")
        part = SessionTranscriptPart.objects.get(transcript=transcript)
        SessionTranscriptPart.objects.filter(pk=part.pk).update(raw_bytes=part.raw_bytes + 1)
        client.force_login(alice)
        answer: Any = client.get(f"/api/admin/users/{bob.pk}/sessions/download-all")
        with pytest.raises(Exception, match="lacks 1 of its bytes"):
            b"".join(answer.streaming_content)
        results = AuditLog.objects.filter(action="session.download_all").values_list("result", flat=True)
        assert list(results.order_by("pk")) == ["ok", "stored_file_lost"]

    def test_who_goes_away_gives_the_place_back(self, client: Client, alice: User, bob: User, settings):
        session(bob, "one")
        client.force_login(alice)
        for _ in range(settings.EXPORTS_AT_ONCE + 1):
            answer: Any = client.get(f"/api/admin/users/{bob.pk}/sessions/download-all")
            assert answer.status_code == 200
            go_away(answer)

    def test_only_some_at_once(self, get, bob: User, settings):
        with ExitStack() as held:
            for _ in range(settings.EXPORTS_AT_ONCE):
                held.enter_context(place())
            answer = get(bob, "/download-all")
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")

    def test_what_was_deleted_meanwhile_is_left_out(self, client: Client, alice: User, bob: User):
        session(bob, "one")
        session(bob, "two", at=9)
        client.force_login(alice)
        answer: Any = client.get(f"/api/admin/users/{bob.pk}/sessions/download-all")
        SessionTranscript.objects.get(session_id="two").delete()
        answer.body = b"".join(answer.streaming_content)
        assert opened(answer).namelist() == ["one.jsonl"]


class TestPaths:
    @pytest.mark.parametrize(
        ("session_id", "agent_id"),
        [
            ("..", ""), ("..", "x"), ("...", ""), ("../../etc", "x"), ("/srv/x", ""), ("a\\..\\b", ".."),
            ("C:", "x"), ("x" * 200, "y" * 200), ("-rf", ""), (".ssh", "authorized_keys"), ("a.jsonl", "x"),
            ("\u202e", ""), ("nul", "con"),
        ],
    )  # fmt: skip
    def test_hostile_ids_stay_inside(self, get, bob: User, session_id: str, agent_id: str):
        more: dict[str, Any] = {"agentId": agent_id} if agent_id else {}
        transcript = session(bob, session_id, **more)
        [name] = opened(get(bob, "/download-all")).namelist()
        folders = name.split("/")
        assert ".." not in folders
        assert not any(it in ("", ".") or it.startswith(".") for it in folders)
        assert "\\" not in name
        assert name.isascii()
        assert name == path_in_zip(transcript)

    def test_no_two_are_equal(self, get, bob: User):
        for session_id in ("a.b", "a_b", "a", "a.b.jsonl"):
            session(bob, session_id)
            subagent(bob, session_id, "b")
        names = opened(get(bob, "/download-all")).namelist()
        assert len(set(names)) == len(names) == 8


def plant_copies(part: SessionTranscriptPart, count: int) -> None:
    """Sessions of the same person with subagents, which all have the bytes of this part."""
    owner, now = part.transcript.owner, part.received_at
    transcripts = SessionTranscript.objects.bulk_create(
        _copy(owner, number // 4, f"a{number}" if number % 4 else "", now) for number in range(count)
    )
    SessionTranscriptPart.objects.bulk_create(
        SessionTranscriptPart(
            transcript=it,
            raw_bytes=part.raw_bytes,
            stored_bytes=part.stored_bytes,
            sha256=part.sha256,
            fingerprint=b"",
            received_at=now,
        )
        for it in transcripts
    )


def _copy(owner: User, number: int, agent_id: str, now: datetime) -> SessionTranscript:
    session_file = session_file_of(owner.pk, f"s{number}", agent_id)
    ids = {"session_id": f"s{number}", "agent_id": agent_id, "session_file": session_file}
    return SessionTranscript(owner=owner, **ids, received_at=now, updated_at=now)


@pytest.mark.slow
class TestLargeZips:
    def test_ten_thousand_files(self, get, bob: User):
        session(bob, "base")
        plant_copies(SessionTranscriptPart.objects.get(), 10_000)
        archive = opened(get(bob, "/download-all"))
        assert len(archive.namelist()) == 10_001

    def test_more_than_four_gigabytes(self, client: Client, alice: User, bob: User, tmp_path):
        """Of random characters, which do not shrink: 4.4 GB of one upload, in many transcripts."""
        noise = [base64.b85encode(os.urandom(800_000)).decode() for _ in range(100)]
        lines = [user_line(text) for text in noise] + [assistant_line()]
        upload(bob, transcript_bytes(lines))
        plant_copies(SessionTranscriptPart.objects.get(), 56)
        client.force_login(alice)
        answer: Any = client.get(f"/api/admin/users/{bob.pk}/sessions/download-all")
        out = tmp_path / "all.zip"
        with out.open("wb") as file:
            for chunk in answer.streaming_content:
                file.write(chunk)
        assert out.stat().st_size > 2**32
        with zipfile.ZipFile(out) as archive:
            assert len(archive.namelist()) == 57
        # Checks every file's CRC.
        subprocess.run(["unzip", "-tqq", out], check=True)
