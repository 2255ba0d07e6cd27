"""What becomes of an upload: the statuses, what is stored, who may."""

import gzip
import hashlib
import json
import re
from datetime import UTC, datetime

import pytest
import zstandard
from django.core.files.storage import default_storage
from django_q.models import OrmQ

from accounts.models import AuditLog, Scope
from telemetry.models import SessionTranscript, SessionTranscriptPart, storage_key
from telemetry.tests.builders import SESSION, assistant_line, moment, transcript_bytes, user_line
from telemetry.tests.intake.conftest import error_of
from telemetry.transcripts.fingerprints import Fingerprint

pytestmark = pytest.mark.django_db

LINES = [user_line(f"prompt {number}", timestamp=moment(number * 60)) for number in range(6)]


def first_lines(count: int) -> bytes:
    return transcript_bytes(LINES[:count])


def fork(count: int) -> bytes:
    """Another continuation after so many lines."""
    return transcript_bytes(
        [*LINES[:count], assistant_line(uuid=f"fork-{count}", message_id="m", timestamp=moment(1000))]
    )


def live_parts() -> list[str]:
    return [part.sha256 for part in SessionTranscriptPart.objects.live()]


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


class TestNew:
    def test_it_answers_201_with_the_key_from_the_content(self, upload, bob):
        response = upload(first_lines(3))
        assert response.status_code == 201
        assert response.json() == {
            "status": "new",
            "session_id": SESSION,
            "agent_id": "",
            "session_file": f"u{bob.pk}_{SESSION}.jsonl",
            "revision": 1,
            "warnings": [],
        }

    def test_rows_and_file_are_stored(self, upload, bob, stored_files):
        raw = first_lines(3)
        upload(raw, name=f"{SESSION}.jsonl")
        transcript = SessionTranscript.objects.get()
        assert (transcript.owner, transcript.session_id, transcript.client_version) == (
            bob,
            SESSION,
            "2.1.220",
        )
        assert transcript.first_at == datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
        assert transcript.last_at == datetime(2026, 5, 1, 10, 2, tzinfo=UTC)
        part = transcript.parts.get()
        assert (part.sha256, part.raw_bytes, part.superseded) == (sha256(raw), len(raw), False)
        assert part.uploaded_name == f"{SESSION}.jsonl"
        assert len(list(Fingerprint.from_bytes(bytes(part.fingerprint)).records())) == 3
        assert stored_files() == [f"{sha256(raw)}.jsonl.zst"]
        with default_storage.open(storage_key(bob.pk, part.sha256)) as stored:
            compressed = stored.read()
        assert len(compressed) == part.stored_bytes
        assert zstandard.ZstdDecompressor().decompressobj().decompress(compressed) == raw

    def test_it_is_audited_and_asks_for_processing(self, upload, bob):
        raw = first_lines(3)
        upload(raw)
        row = AuditLog.objects.get(action="session.upload")
        target = f"transcript:{SessionTranscript.objects.get().pk}"
        assert (row.actor, row.client_kind, row.target) == (bob.pk, "api", target)
        assert row.params == {"status": "new", "bytes": len(raw), "revision": 1}
        assert OrmQ.objects.exists()

    def test_a_subagent_is_a_transcript_of_its_own(self, upload, bob):
        upload(first_lines(3))
        response = upload(transcript_bytes([user_line(agentId="a1b2", isSidechain=True)]))
        assert response.status_code == 201
        assert response.json()["agent_id"] == "a1b2"
        assert response.json()["session_file"] == f"u{bob.pk}_{SESSION}_a1b2.jsonl"

    def test_people_do_not_share_transcripts(self, upload, client, charlie, token_for):
        raw = first_lines(3)
        upload(raw)
        headers = {"authorization": f"Bearer {token_for(charlie, Scope.UPLOAD)}"}
        response = client.post("/api/upload/sessions", raw, content_type="text/plain", headers=headers)
        assert response.status_code == 201
        assert SessionTranscript.objects.count() == 2

    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd", "GZIP"])
    def test_it_takes_compressed_bodies(self, upload, encoding):
        raw = first_lines(3)
        compressed = {"gzip": gzip.compress(raw), "zstd": zstandard.compress(raw), "identity": raw}
        assert upload(compressed[encoding.lower()], encoding=encoding).status_code == 201
        assert live_parts() == [sha256(raw)]


class TestAgain:
    def test_the_same_bytes_change_nothing(self, upload, stored_files):
        upload(first_lines(3))
        before = (SessionTranscript.objects.values().get(), stored_files(), AuditLog.objects.count())
        response = upload(first_lines(3))
        assert (response.status_code, response.json()["status"]) == (200, "same")
        assert (SessionTranscript.objects.values().get(), stored_files(), AuditLog.objects.count()) == before

    def test_a_grown_file_replaces_its_beginning(self, upload, stored_files):
        upload(first_lines(3))
        received_at = SessionTranscript.objects.get().received_at
        response = upload(first_lines(5))
        assert (response.status_code, response.json()["status"]) == (200, "grown")
        assert response.json()["revision"] == 2
        assert live_parts() == [sha256(first_lines(5))]
        assert stored_files() == [f"{sha256(first_lines(5))}.jsonl.zst"]
        transcript = SessionTranscript.objects.get()
        assert transcript.received_at == received_at < transcript.updated_at
        assert transcript.last_at == datetime(2026, 5, 1, 10, 4, tzinfo=UTC)
        assert AuditLog.objects.filter(action="session.upload").latest("pk").params["status"] == "grown"

    def test_a_shorter_file_never_replaces_the_longer_one(self, upload, stored_files):
        upload(first_lines(5))
        response = upload(first_lines(3))
        assert (response.status_code, response.json()["status"]) == (200, "shorter")
        assert response.json()["revision"] == 1
        assert live_parts() == [sha256(first_lines(5))]
        assert len(stored_files()) == 1

    def test_the_beginning_need_not_end_with_a_line(self, upload):
        raw = first_lines(5)
        upload(raw[:-10])
        assert upload(raw).json()["status"] == "grown"
        assert upload(raw[:-20]).json()["status"] == "shorter"

    def test_a_superseded_file_that_comes_again_changes_nothing(self, upload, stored_files):
        upload(first_lines(3))
        upload(first_lines(5))
        response = upload(first_lines(3))
        assert (response.status_code, response.json()["status"]) == (200, "superseded")
        assert response.json()["revision"] == 2
        assert len(stored_files()) == 1

    def test_a_diverging_file_becomes_a_further_part(self, upload, stored_files):
        upload(first_lines(5))
        response = upload(fork(3))
        assert (response.status_code, response.json()["status"]) == (200, "diverged")
        assert response.json()["revision"] == 2
        assert set(live_parts()) == {sha256(first_lines(5)), sha256(fork(3))}
        assert len(stored_files()) == 2
        assert SessionTranscript.objects.get().last_at == datetime(2026, 5, 1, 10, 16, 40, tzinfo=UTC)

    def test_growing_one_part_beside_another_is_diverged(self, upload):
        upload(first_lines(3))
        upload(fork(2))
        assert upload(first_lines(5)).json()["status"] == "diverged"
        assert set(live_parts()) == {sha256(first_lines(5)), sha256(fork(2))}

    def test_superseded_parts_keep_their_row_without_a_fingerprint(self, upload):
        upload(first_lines(2))
        upload(first_lines(4))
        upload(first_lines(6))
        assert live_parts() == [sha256(first_lines(6))]
        superseded = SessionTranscriptPart.objects.filter(superseded=True)
        assert {part.sha256 for part in superseded} == {sha256(first_lines(2)), sha256(first_lines(4))}
        assert all(bytes(part.fingerprint) == b"" for part in superseded)


class TestWho:
    def post(self, client, **headers):
        return client.post(
            "/api/upload/sessions", first_lines(3), content_type="application/x-ndjson", headers=headers
        )

    def test_without_a_token_401(self, client):
        assert self.post(client).status_code == 401

    def test_a_token_without_the_scope_403(self, client, bob, token_for):
        token = token_for(bob, Scope.READ, Scope.ADMIN)
        assert self.post(client, authorization=f"Bearer {token}").status_code == 403
        assert not SessionTranscript.objects.exists()

    def test_a_signed_in_browser_may(self, client, bob):
        client.force_login(bob)
        assert self.post(client).status_code == 201

    def test_only_post(self, client):
        assert client.get("/api/upload/sessions").status_code == 405


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            f"{SESSION}.jsonl",
            f"-home-bob-work/{SESSION}.jsonl",
            f"C:\\Users\\bob\\.claude\\projects\\work\\{SESSION}.jsonl",
            "",
        ],
    )
    def test_a_fitting_name_is_no_warning(self, upload, name):
        assert upload(first_lines(1), name=name).json()["warnings"] == []

    @pytest.mark.parametrize(
        "name",
        [
            "agent-a1.jsonl",
            f"{SESSION}/subagents/agent-a1.jsonl",
            f"work/{SESSION}/subagents/workflows/wf_1/agent-a1.jsonl",
        ],
    )
    def test_a_fitting_subagent_name_is_no_warning(self, upload, name):
        raw = transcript_bytes([user_line(agentId="a1", isSidechain=True)])
        assert upload(raw, name=name).json()["warnings"] == []

    @pytest.mark.parametrize("name", ["other.jsonl", "agent-a1.jsonl", "notes.txt", f"{SESSION}.jsonl/x"])
    def test_a_mismatch_is_a_warning(self, upload, name):
        response = upload(first_lines(1), name=name)
        assert response.status_code == 201
        [warning] = response.json()["warnings"]
        assert name in warning
        assert f"session {SESSION}" in warning

    def test_a_subagent_in_the_folder_of_another_session_is_a_warning(self, upload):
        raw = transcript_bytes([user_line(agentId="a1", isSidechain=True)])
        [warning] = upload(raw, name="another/subagents/agent-a1.jsonl").json()["warnings"]
        assert f"subagent a1 of session {SESSION}" in warning

    @pytest.mark.parametrize(
        "name",
        [
            "../../../etc/passwd",
            "a\0b.jsonl",
            "/etc/passwd",
            "..",
            "\n",
            "x" * 5000,
            "\ud800.jsonl",
            "💥" * 300,
        ],
    )
    def test_a_hostile_name_is_only_shown(self, upload, name, stored_files):
        response = upload(first_lines(1), name=name.encode("utf-8", "replace").decode())
        assert response.status_code == 201
        part = SessionTranscriptPart.objects.get()
        assert len(part.uploaded_name or "") <= 255
        assert "\0" not in (part.uploaded_name or "")
        assert stored_files() == [f"{sha256(first_lines(1))}.jsonl.zst"]


class TestSessionFile:
    @pytest.mark.parametrize(
        ("session_id", "agent_id", "expected"),
        [
            ("S-1.2", "", r"u\d+_S-1\.2\.jsonl"),
            ("S", "a_b", r"u\d+_S_a_b\.jsonl"),
            ("a_b", "", r"u\d+_[0-9a-f]{16}\.jsonl"),
            ("../../etc", "../x", r"u\d+_[0-9a-f]{16}_[0-9a-f]{16}\.jsonl"),
            ("nul\0", "é", r"u\d+_[0-9a-f]{16}_[0-9a-f]{16}\.jsonl"),
            ("s" * 300, "a" * 65, r"u\d+_[0-9a-f]{16}_[0-9a-f]{16}\.jsonl"),
            (" ", "", r"u\d+_[0-9a-f]{16}\.jsonl"),
            ("\ud800", "", r"u\d+_[0-9a-f]{16}\.jsonl"),
        ],
    )
    def test_it_is_harmless_whatever_the_ids_are(self, upload, session_id, agent_id, expected):
        line = user_line(sessionId=session_id, agentId=agent_id or None)
        response = upload(json.dumps(line).encode() + b"\n")
        assert response.status_code == 201
        assert re.fullmatch(expected, response.json()["session_file"])

    def test_a_clash_is_refused(self, upload, stored_files):
        taken = upload(transcript_bytes([user_line(sessionId="a_b")])).json()["session_file"]
        hexadecimal = taken.split("_")[1].removesuffix(".jsonl")
        response = upload(transcript_bytes([user_line(sessionId=hexadecimal)]))
        assert response.status_code == 422
        assert taken in error_of(response)["message"]
        assert len(stored_files()) == 1
