"""Whatever is sent: a clear answer with the next step, and nothing of it stays."""

import gzip
import io
import itertools
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from time import process_time
from typing import Any
from urllib.parse import urlsplit

import pytest
import zstandard
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.http import HttpRequest
from django.test import Client

from accounts import audit
from accounts.models import AuditLog, Scope
from telemetry.intake import storing
from telemetry.intake.inflating import inflate
from telemetry.intake.storing import store_transcript
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.tests.builders import assistant_line, transcript_bytes, user_line
from telemetry.tests.intake.conftest import error_of

pytestmark = pytest.mark.django_db

GOOD = transcript_bytes([user_line(), assistant_line()])
BINARY = bytes(range(256)) * 100
STREAM_JSON = transcript_bytes(
    [
        "",
        {"type": "system", "subtype": "init", "session_id": "s", "tools": []},
        {"type": "assistant", "session_id": "s", "message": {"id": "m", "content": []}},
        {"type": "result", "subtype": "success", "session_id": "s"},
    ]
)
JOURNAL = transcript_bytes([{"type": "started", "agentId": "a1"}, {"type": "result", "agentId": "a1"}])


@pytest.fixture
def refused(upload, stored_files):
    """`refused(raw)` is the error; nothing was stored."""

    def check(body: bytes, status: int = 422, **how: str) -> dict[str, object]:
        response = upload(body, **how)
        assert response.status_code == status, response.content
        assert stored_files() == []
        assert not SessionTranscript.objects.exists()
        assert not AuditLog.objects.filter(action="session.upload").exists()
        error = error_of(response)
        assert error["message"]
        assert error["hint"]
        return error

    return check


@pytest.fixture
def undeclared(client, bob, token_for):
    """`undeclared(stream)` uploads with Transfer-Encoding: chunked, as gunicorn hands it on."""

    def post(stream: io.BytesIO) -> Any:
        environ: dict[str, Any] = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        headers = {"authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
        return client.post(
            "/api/upload/sessions", content_type="application/x-ndjson", headers=headers, **environ
        )

    return post


class TestNotATranscript:
    @pytest.mark.parametrize(
        ("raw", "reason", "line"),
        [
            (b"", "the file is empty", None),
            (b"\n \n\r\n", "the file is empty", None),
            (BINARY, "the file is binary, not text", "1"),
            (b"\x89PNG\r\n\x1a\n\0\0", "the file is binary, not text", "1"),
            (b"\x1f\x8b\x08\0", "the file is binary, not text", "1"),
            ("Grüße".encode(), "no line of the file is JSON", "1"),
            (b"\n\nhello\n", "no line of the file is JSON", "3"),
            (STREAM_JSON, "stream-json", "2"),
            (JOURNAL, "no line of the file is a user or assistant line", "1"),
            (b"[1, 2]\n", "the line is a JSON list, not an object", "1"),
            (b'[{"type":"user"}]', "the line is a JSON list, not an object", "1"),
            (b"null", "the line is a JSON value, not an object", "1"),
            (b'{"type":"user"}\n', "no line of the file is a user or assistant line", "1"),
        ],
    )
    def test_it_is_refused_with_reason_and_line(self, refused, raw, reason, line):
        error = refused(raw)
        assert error["code"] == "not_a_transcript"
        assert reason in error["message"]
        if line:
            assert error["fields"] == {"line": line}
            assert f"(line {line})" in error["message"]

    @pytest.mark.parametrize("line", [b"\n", b" \n", b"x\n", b"[]\n"])
    def test_endless_lines_of_nothing_do_not_keep_a_thread_busy(self, refused, line):
        """100 MB of them took seconds; now it is their way over the wire that counts."""
        began = process_time()
        error = refused(gzip.compress(line * (100_000_000 // len(line)), 1), encoding="gzip")
        assert "lines" in str(error["message"])
        assert process_time() - began < 5

    def test_a_form_is_refused_with_the_cure(self, client, bob, token_for):
        headers = {"authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
        response = client.post("/api/upload/sessions", {"file": "x"}, headers=headers)
        assert response.status_code == 415
        assert "--data-binary" in error_of(response)["hint"]

    @pytest.mark.parametrize(
        "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    )
    def test_a_form_of_a_browser_is_refused_unread(self, content_type, bob, monkeypatch):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(bob)
        for name in ("read", "_load_post_and_files"):
            monkeypatch.setattr(HttpRequest, name, lambda *args: pytest.fail("The body was read."))
        response: Any = browser.post("/api/upload/sessions", GOOD, content_type=content_type)
        assert response.status_code == 415
        assert "application/x-ndjson" in error_of(response)["hint"]

    def test_what_curl_calls_a_form_is_taken_with_a_token(self, client, bob, token_for):
        headers = {"authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
        content_type = "application/x-www-form-urlencoded"
        response = client.post("/api/upload/sessions", GOOD, content_type=content_type, headers=headers)
        assert response.status_code == 201

    def test_the_log_says_who_was_refused_and_why(self, refused, bob, caplog):
        caplog.set_level("INFO", "telemetry")
        refused(b"what somebody wrote\n")
        [message] = [
            record.getMessage() for record in caplog.records if record.name == "telemetry.api.uploads"
        ]
        assert message.startswith(f"Refused an upload of user {bob.pk}: not_a_transcript: Not a transcript:")
        assert "somebody" not in caplog.text
        assert bob.email not in caplog.text


class TestCompression:
    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(GOOD)[:-4]),
            ("gzip", gzip.compress(GOOD)[:20]),
            ("gzip", b""),
            ("gzip", GOOD),
            ("gzip", gzip.compress(GOOD) + b"garbage"),
            ("gzip", gzip.compress(GOOD) + gzip.compress(GOOD)[:15]),
            ("zstd", zstandard.compress(GOOD)[:-4]),
            ("zstd", b""),
            ("zstd", GOOD),
            ("zstd", zstandard.compress(GOOD) + b"garbage"),
            ("zstd", gzip.compress(GOOD)),
        ],
        # Of themselves the ids would hold the bytes, and with them the time of day.
        ids=itertools.count(),
    )
    def test_a_damaged_or_truncated_stream_is_refused(self, refused, encoding, body):
        error = refused(body, encoding=encoding)
        assert error["code"] == "corrupt"
        assert encoding in error["message"]

    @pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "x" * 1000])
    def test_an_unknown_encoding_is_refused(self, refused, encoding):
        assert "gzip or zstd" in refused(GOOD, 415, encoding=encoding)["hint"]

    def test_gzip_may_have_several_members_and_padding(self, upload):
        half = len(GOOD) // 2
        body = gzip.compress(GOOD[:half]) + gzip.compress(b"") + gzip.compress(GOOD[half:]) + b"\0" * 700
        assert upload(body, encoding="gzip").status_code == 201
        assert SessionTranscriptPart.objects.get().raw_bytes == len(GOOD)

    def test_zstd_may_have_several_frames(self, upload):
        body = zstandard.compress(GOOD[:10]) + zstandard.compress(GOOD[10:])
        assert upload(body, encoding="zstd").status_code == 201
        assert SessionTranscriptPart.objects.get().raw_bytes == len(GOOD)

    def test_a_zstd_window_that_needs_much_memory_is_refused(self, refused):
        parameters = zstandard.ZstdCompressionParameters(window_log=27)
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        refused(compressor.compress(GOOD) + compressor.flush(), encoding="zstd")


class TestLimits:
    def test_a_body_over_the_wire_limit_413(self, refused, settings):
        settings.UPLOAD_MAX_WIRE_BYTES = len(GOOD) - 1
        error = refused(GOOD, 413)
        assert error["code"] == "too_large"
        assert "UPLOAD_MAX_WIRE_BYTES" in error["hint"]

    def test_a_declared_length_over_the_limit_is_refused_unread(self, upload, settings, monkeypatch):
        settings.UPLOAD_MAX_WIRE_BYTES = 100
        monkeypatch.setattr("django.http.HttpRequest.read", lambda *args: pytest.fail("The body was read."))
        assert upload(GOOD).status_code == 413

    def test_at_the_limits_it_is_taken(self, upload, settings):
        settings.UPLOAD_MAX_WIRE_BYTES = settings.UPLOAD_MAX_TRANSCRIPT_BYTES = len(GOOD)
        assert upload(GOOD).status_code == 201

    def test_a_body_without_a_declared_length_is_counted(self, undeclared, settings, stored_files):
        settings.UPLOAD_MAX_WIRE_BYTES = len(GOOD) - 1
        assert undeclared(io.BytesIO(GOOD)).status_code == 413
        assert stored_files() == []

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    def test_a_bomb_never_inflates_past_the_limit(self, refused, settings, encoding, monkeypatch):
        settings.UPLOAD_MAX_TRANSCRIPT_BYTES = 1024 * 1024
        bomb = GOOD + b" " * 200_000_000
        body = gzip.compress(bomb) if encoding == "gzip" else zstandard.compress(bomb)
        inflated: list[int] = []

        def counting(chunks: Iterator[bytes], used: str) -> Iterator[bytes]:
            for chunk in inflate(chunks, used):
                inflated.append(len(chunk))
                yield chunk

        monkeypatch.setattr(storing, "inflate", counting)
        error = refused(body, 413, encoding=encoding)
        assert "UPLOAD_MAX_TRANSCRIPT_BYTES" in error["hint"]
        assert max(inflated) <= 8 * 1024 * 1024 + 256 * 1024
        assert sum(inflated) <= 10 * 1024 * 1024


class TestOddTranscripts:
    """Ugly, but transcripts: taken, with a warning where something could not be read."""

    def warnings(self, upload, raw: bytes) -> list[str]:
        response = upload(raw)
        assert response.status_code == 201, response.content
        warnings: list[str] = response.json()["warnings"]
        return warnings

    def test_bom_crlf_nul_and_invalid_utf8(self, upload):
        lines = [user_line("a\0b"), user_line("\u2028"), user_line("\ud800")]
        raw = b"\xef\xbb\xbf" + transcript_bytes(json.dumps(line) for line in lines).replace(b"\n", b"\r\n")
        raw += transcript_bytes([user_line("X")]).replace(b"X", b"\xff\xfe")
        assert self.warnings(upload, raw) == []

    def test_damaged_lines_are_counted(self, upload):
        raw = transcript_bytes([b"\0\0\0", user_line(), '{"a":', b"\xff", user_line()])
        assert self.warnings(upload, raw) == ["3 of 5 lines are damaged; what could be read of them counts."]

    def test_an_incomplete_last_line(self, upload):
        [warning] = self.warnings(upload, GOOD[:-20])
        assert "last line is incomplete" in warning

    def test_a_line_of_two_megabytes(self, upload):
        assert self.warnings(upload, transcript_bytes([user_line("x" * 2_000_000)])) == []

    def test_ten_thousand_levels_of_nesting(self, upload):
        deep = '{"a":' * 10_000 + "1" + "}" * 10_000
        self.warnings(upload, transcript_bytes([deep, user_line(), "[" * 100_000]))

    def test_huge_integers(self, upload):
        huge = json.dumps(assistant_line()).replace('"input_tokens": 3', '"input_tokens": ' + "9" * 4000)
        assert self.warnings(upload, transcript_bytes([user_line(n=0), huge])) == []

    @pytest.mark.parametrize(
        "timestamp",
        [None, 1746093600, "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "", {}],
    )
    def test_no_usable_timestamp(self, upload, timestamp):
        assert self.warnings(upload, transcript_bytes([user_line(timestamp=timestamp)])) == []
        transcript = SessionTranscript.objects.get()
        assert (transcript.first_at, transcript.last_at) == (None, None)
        assert upload(transcript_bytes([user_line()])).json()["status"] == "diverged"
        transcript.refresh_from_db()
        assert transcript.first_at is not None

    def test_the_end_of_time(self, upload):
        self.warnings(upload, transcript_bytes([user_line(timestamp="9999-12-31T23:59:59.999Z")]))


class TestWithoutLength:
    """Transfer-Encoding: chunked."""

    def test_it_is_taken(self, undeclared):
        assert undeclared(io.BytesIO(GOOD)).status_code == 201

    def test_broken_framing_leaves_nothing(self, undeclared, stored_files):
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if content := super().read(50):
                    return content
                raise ValueError("a server's own error")

        response = undeclared(Broken(GOOD))
        assert response.status_code == 422
        assert error_of(response)["code"] == "corrupt"
        assert stored_files() == []


class TestFailures:
    """Nothing stays of an upload that the server could not finish."""

    def test_an_error_in_the_transaction_leaves_no_row_and_no_file(self, bob, stored_files, monkeypatch):
        def fail(*args: object, **named: object) -> None:
            raise RuntimeError("disk full")

        monkeypatch.setattr(audit, "record", fail)
        with pytest.raises(RuntimeError):
            store_transcript(bob, [GOOD])
        assert stored_files() == []
        assert not SessionTranscript.objects.exists()

    def test_a_failed_growth_keeps_what_was_there(self, bob, stored_files, monkeypatch):
        store_transcript(bob, [GOOD])
        before = stored_files()
        monkeypatch.setattr(audit, "record", lambda *args, **named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store_transcript(bob, [GOOD, transcript_bytes([user_line()])])
        assert stored_files() == before
        assert SessionTranscriptPart.objects.get().superseded is False

    def test_an_error_of_the_source_leaves_nothing(self, bob, stored_files):
        def chunks() -> Iterator[bytes]:
            yield GOOD
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            store_transcript(bob, chunks())
        assert stored_files() == []

    def test_a_superseded_file_that_cannot_be_deleted_harms_nobody(self, bob, monkeypatch):
        store_transcript(bob, [GOOD])

        def fail(storage: object, name: str) -> None:
            raise PermissionError(name)

        monkeypatch.setattr(FileSystemStorage, "delete", fail)
        stored = store_transcript(bob, [GOOD, transcript_bytes([user_line()])])
        assert stored.status == "grown"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer at a time")
def test_while_something_large_is_written_it_answers_503(upload):
    assert upload(GOOD).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        response = upload(GOOD + transcript_bytes([user_line()]))
    assert response.status_code == 503
    assert error_of(response)["code"] == "busy"
    assert int(response["Retry-After"]) > 0
    connection.close()
    assert upload(GOOD + transcript_bytes([user_line()])).json()["status"] == "grown"


@pytest.mark.django_db(transaction=True)
class TestConnections:
    """Over a real socket: how a body ends."""

    @pytest.fixture
    def send(self, live_server, bob, token_for):
        """`send(header, body)` sends a request, ends our side of the connection and gives the answer."""
        address = urlsplit(live_server.url)
        token = token_for(bob, Scope.UPLOAD)

        def exchange(header: str, body: bytes) -> bytes:
            head = [
                "POST /api/upload/sessions HTTP/1.0",
                "Host: localhost",
                f"Authorization: Bearer {token}",
                header,
            ]
            with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
                connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while received := connection.recv(65536):
                    answer += received
            return answer

        return exchange

    def test_a_client_that_goes_away_in_the_middle_leaves_nothing(self, send, stored_files):
        answer = send(f"Content-Length: {len(GOOD)}", GOOD[: len(GOOD) // 2])
        assert b" 422 " in answer
        assert b"ended before its end" in answer
        assert stored_files() == []
        assert not SessionTranscript.objects.exists()

    def test_a_whole_body_is_taken(self, send):
        assert b" 201 " in send(f"Content-Length: {len(GOOD)}", GOOD)
