"""Marking a session private: nothing of it is left, and nothing of it comes back."""

import errno
import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from django.core.files.storage import default_storage
from django.test import Client

from accounts import secret_files
from accounts.models import AuditLog, Scope, User
from telemetry import tasks
from telemetry.errors import LakeUnavailable
from telemetry.intake import comparing, storing
from telemetry.maintenance import listing, publishing_purges, withholding
from telemetry.maintenance.withholding import Reason, withhold
from telemetry.models import (
    DoomedFile,
    SessionTranscript,
    SessionTranscriptPart,
    UsageDirtyDay,
    UsageEvent,
    WithheldSession,
)
from telemetry.processors import registry
from telemetry.processors.base import Job, Processor
from telemetry.processors.processing import process
from telemetry.processors.runner import run
from telemetry.tests.builders import Line, assistant_line, moment, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.maintenance.searching import is_in_database, is_in_files
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored
from telemetry.viewing.index_files import open_index
from telemetry.viewing.parts import parts_of

pytestmark = pytest.mark.django_db
SECRET = "the-secret-of-bob"
Api = Callable[..., Any]


def lines(name: str, calls: int = 2, *, text: str = SECRET, at: float = 0, **fields: Any) -> list[Line]:
    """A session in which this text stands everywhere that a text may stand."""
    where = {"sessionId": name, "cwd": f"/home/{text}", **fields}
    found = [user_line(f"say {text}", uuid=f"{name}-0", timestamp=moment(at), **where)]
    for number in range(1, calls + 1):
        ident = f"{name}-{number}"
        block = tool_use("Bash", id=f"toolu-{ident}", command=f"echo {text}")
        found.append(
            assistant_line(
                [block], message_id=f"msg-{ident}", uuid=ident, timestamp=moment(at + number), **where
            )
        )
    return found


def fork(origin: list[Line], name: str, own: int = 1) -> list[Line]:
    """A session with the same history under a name of its own, and what came after it."""
    copied = [line | {"sessionId": name} for line in origin]
    return [*copied, *lines(name, own, text="what is bob's own", at=5000)]


def file(found: list[Line]) -> bytes:
    # A line that belongs to no record, and quotes.
    title = json.dumps({"type": "summary", "summary": found[0]["message"]["content"]})
    return transcript_bytes([title, *found])


@pytest.fixture
def send(client: Client, bob: User, token_for: Callable[..., str]) -> Api:
    """As bob's client does; each call with a new token, as from a new machine."""

    def post(content: bytes, person: User = bob) -> Any:
        return client.post(
            "/api/upload/sessions",
            content,
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {token_for(person, Scope.UPLOAD)}"},
        )

    return post


@pytest.fixture
def mark(client: Client, bob: User, token_for: Callable[..., str]) -> Api:
    def delete(session_id: str, person: User = bob, scope: str = Scope.UPLOAD, query: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token_for(person, scope)}"}
        return client.delete(f"/api/sessions/{session_id}{query}", headers=headers)

    return delete


@pytest.fixture
def readmit(client: Client, bob: User, token_for: Callable[..., str]) -> Api:
    def post(session_id: str, person: User = bob, scope: str = Scope.UPLOAD) -> Any:
        headers = {"Authorization": f"Bearer {token_for(person, scope)}"}
        return client.post(f"/api/sessions/{session_id}/readmit", headers=headers)

    return post


@pytest.fixture
def data(settings: Any) -> Any:
    return settings.DATA_DIR


def process_all() -> None:
    process("usage")
    process("verification")


class TestTakenBack:
    """What was marked before anything of it came."""

    def test_it_is_taken_again(self, mark: Api, readmit: Api, send: Api, bob: User):
        mark("later")
        assert send(session("later")).status_code == 410
        answer = readmit("later")
        assert (answer.status_code, answer.json()) == (200, {"session_id": "later", "user_id": bob.pk})
        assert send(session("later")).status_code == 201
        row = AuditLog.objects.get(action="session.readmit")
        marked = AuditLog.objects.get(action="session.delete")
        assert (row.actor, row.target, row.params) == (bob.pk, marked.target, {"user": bob.pk})

    def test_only_by_its_person(self, mark: Api, readmit: Api, send: Api, alice: User, charlie: User):
        mark("later")
        for person in (charlie, alice):
            assert readmit("later", person).status_code == 404
        assert readmit("later", scope=Scope.READ).status_code == 403
        assert send(session("later")).status_code == 410

    def test_what_nobody_marked_or_an_admin_removed(self, mark: Api, readmit: Api, bob: User, alice: User):
        assert readmit("later").status_code == 404
        mark("later", alice, Scope.ADMIN, f"?user_id={bob.pk}")
        assert readmit("later").json()["error"]["code"] == "session_erased"
        assert WithheldSession.objects.exists()


class TestAfterUpload:
    @pytest.fixture(autouse=True)
    def world(self, bob: User, charlie: User) -> None:
        """A secret session with a subagent, and sessions beside it."""
        upload(bob, file(lines("secret", 3)) + b"{broken\n")
        upload(bob, transcript_bytes(lines("secret", 2, agentId="a7")).replace(b"secret-", b"sub-"))
        upload(bob, session("other", calls=2))
        upload(charlie, session("secret", calls=1))
        process_all()

    def test_nothing_of_it_is_left(self, mark: Api, data: Any, bob: User):
        assert is_in_files(data, SECRET)
        answer = mark("secret")
        assert answer.status_code == 200, answer.content
        assert answer.json() == {
            "session_id": "secret", "user_id": bob.pk, "reason": "private", "transcripts": 2, "events": 5,
            "messages": 5, "summaries": 2, "copies": 0, "complete": True, "left": [],
        }  # fmt: skip
        assert not is_in_files(data, SECRET)
        assert not is_in_database(SECRET)
        assert not SessionTranscript.objects.of(bob.pk).filter(session_id="secret").exists()

    def test_figures_and_lake_are_as_if_it_had_never_been(self, mark: Api, charlie: User):
        mark("secret")
        assert stored() == expected()
        assert in_lake() == in_database()
        assert not UsageDirtyDay.objects.exists()
        assert UsageEvent.objects.filter(session_id="other").count() == 2
        assert UsageEvent.objects.filter(user=charlie, session_id="secret").count() == 1

    def test_only_two_rows_without_content_tell_of_it(self, mark: Api, bob: User):
        mark("secret")
        row = WithheldSession.objects.get()
        assert (row.user_id, row.session_id, row.reason) == (bob.pk, "secret", "private")
        assert row.cleaned_at
        audit = AuditLog.objects.get(action="session.delete")
        assert (audit.actor, audit.target) == (bob.pk, f"withheld_session:{row.pk}")
        assert audit.params == {
            "user": bob.pk, "reason": "private", "copies": 0, "transcripts": 2, "events": 5, "messages": 5,
            "summaries": 2, "items": 0, "states": 2,
        }  # fmt: skip

    def test_its_uploads_are_refused_for_good(self, mark: Api, send: Api, data: Any):
        mark("secret")
        grown = file(lines("secret", 9))
        agent = transcript_bytes(lines("secret", agentId="new"))
        for content in (file(lines("secret", 3)), grown, agent):
            answer = send(content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (410, "session_private")
        assert not is_in_files(data, SECRET)
        process_all()
        assert not UsageEvent.objects.filter(cwd__contains=SECRET).exists()

    def test_it_cannot_be_taken_back(self, mark: Api, readmit: Api, send: Api):
        mark("secret")
        answer = readmit("secret")
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "session_private")
        assert send(file(lines("secret", 3))).status_code == 410

    def test_another_person_s_session_of_the_same_id_is_taken(self, mark: Api, send: Api, charlie: User):
        mark("secret")
        assert send(session("secret", calls=4), charlie).status_code == 200

    def test_it_is_marked_again_without_harm(self, mark: Api, bob: User):
        mark("secret")
        again = mark("secret")
        assert (again.status_code, again.json()["transcripts"]) == (200, 0)
        assert WithheldSession.objects.count() == 1

    def test_an_index_of_it_that_was_read_goes_too(
        self, mark: Api, bob: User, settings: Any, django_capture_on_commit_callbacks: Any
    ):
        transcript = SessionTranscript.objects.of(bob.pk).get(session_id="secret", agent_id="")
        with open_index(transcript, parts_of(transcript)):
            assert list(settings.SPOOL_DIR.glob("index-*"))
        with django_capture_on_commit_callbacks(execute=True):
            mark("secret")
        assert not list(settings.SPOOL_DIR.glob("index-*"))

    def test_what_a_killed_upload_of_it_left_goes_too(self, mark: Api, settings: Any):
        left = settings.SPOOL_DIR / "left.jsonl.zst"
        whole = zstandard.compress(file(lines("secret", 30)) + os.urandom(500_000))
        for path, content in ((left, whole[:-5]), (left.with_name("other.jsonl.zst"), b"no zstd")):
            path.write_bytes(content)
            os.utime(path, times=(time.time() - 600,) * 2)
        mark("secret")
        assert not left.exists()
        assert left.with_name("other.jsonl.zst").exists()


class TestBeforeUpload:
    def test_a_session_that_was_never_here_is_refused(self, mark: Api, send: Api):
        answer = mark("secret")
        assert (answer.status_code, answer.json()["transcripts"]) == (200, 0)
        assert send(file(lines("secret"))).status_code == 410
        assert not SessionTranscript.objects.exists()

    def test_an_id_of_any_shape(self, mark: Api, send: Api):
        mark("an%20id%2Fwith%20%C3%BC")
        assert send(transcript_bytes(lines("an id/with ü"))).status_code == 410


class TestWhoMay:
    def test_nobody_removes_what_is_another_s(self, mark: Api, bob: User, charlie: User, dana: User):
        upload(bob, session("secret"))
        for person in (charlie, dana):
            assert mark("secret", person).status_code == 200
            assert mark("secret", person, query=f"?user_id={bob.pk}").status_code == 404
        assert SessionTranscript.objects.of(bob.pk).exists()

    def test_an_admin_removes_anybody_s(self, mark: Api, send: Api, alice: User, bob: User):
        upload(bob, session("secret"))
        answer = mark("secret", alice, Scope.ADMIN)
        assert (answer.json()["user_id"], answer.json()["reason"]) == (bob.pk, "erased")
        refused = send(session("secret"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (410, "session_erased")
        assert AuditLog.objects.get(action="session.delete").actor == alice.pk

    def test_their_token_of_scope_upload_is_for_their_own(self, mark: Api, alice: User, bob: User):
        upload(bob, session("secret"))
        assert mark("secret", alice).json()["user_id"] == alice.pk
        assert SessionTranscript.objects.of(bob.pk).exists()

    def test_an_admin_says_whose_where_several_have_it(
        self, mark: Api, alice: User, bob: User, charlie: User
    ):
        for person in (bob, charlie):
            upload(person, session("secret"))
        answer = mark("secret", alice, Scope.ADMIN)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "whose_session")
        assert answer.json()["error"]["fields"] == {"user_id": f"one of {bob.pk}, {charlie.pk}"}
        assert mark("secret", alice, Scope.ADMIN, f"?user_id={bob.pk}").status_code == 200
        assert list(SessionTranscript.objects.values_list("owner_id", flat=True)) == [charlie.pk]
        assert mark("secret", alice, Scope.ADMIN, "?user_id=99999").status_code == 404


# The fork before its origin in owner order, and after it: their times are equal, so the ids decide.
@pytest.mark.parametrize("name", ["a-fork", "z-fork"])
class TestCopies:
    def test_in_a_fork_they_go_from_rows_and_files(self, name: str, mark: Api, bob: User, data: Any):
        upload(bob, file(lines("secret", 3)))
        upload(bob, file(fork(lines("secret", 3), name, own=2)))
        process_all()
        answer = mark("secret").json()
        assert (answer["copies"], answer["complete"]) == (1, True)
        assert not is_in_files(data, SECRET)
        assert not is_in_database(SECRET)
        assert UsageEvent.objects.filter(session_id=name).count() == 2
        assert UsageEvent.objects.count() == 2
        assert stored() == expected()
        assert in_lake() == in_database()

    def test_in_a_fork_that_comes_later(self, name: str, mark: Api, send: Api, bob: User, data: Any):
        upload(bob, file(lines("secret", 3)))
        process_all()
        mark("secret")
        answer = send(file(fork(lines("secret", 3), name, own=2)))
        assert answer.status_code == 201
        assert "5 lines were left out" in answer.json()["warnings"][0]
        process_all()
        assert UsageEvent.objects.count() == 2
        assert not is_in_files(data, SECRET)
        assert not is_in_database(SECRET)

    def test_whatever_came_first_the_rest_is_the_same(self, name: str, mark: Api, bob: User, charlie: User):
        secret, forked = file(lines("secret", 3)), file(fork(lines("secret", 3), name, own=2))
        for content in (secret, forked):
            upload(bob, content)
        process_all()
        mark("secret", bob)
        upload(charlie, secret)
        mark("secret", charlie)
        upload(charlie, forked)
        process_all()
        assert usage_of(bob) == usage_of(charlie)
        listed = SessionTranscript.objects.values_list("first_at", "last_at", "listed_at").distinct()
        assert listed.count() == 1

    def test_the_fork_is_known_when_it_comes_again_and_grows(
        self, name: str, mark: Api, send: Api, bob: User, data: Any
    ):
        origin = lines("secret", 3)
        small, grown = fork(origin, name, own=1), fork(origin, name, own=4)
        upload(bob, file(origin))
        upload(bob, file(small))
        process_all()
        mark("secret")
        assert send(file(small)).json()["status"] == "same"
        assert send(file(grown)).json()["status"] == "grown"
        assert send(file(small)).json()["status"] == "superseded"
        process_all()
        assert UsageEvent.objects.count() == 4
        assert not is_in_files(data, SECRET)

    def test_a_fork_without_anything_of_its_own(self, name: str, mark: Api, send: Api, bob: User, data: Any):
        origin = lines("secret", 3)
        copied = [line | {"sessionId": name} for line in origin]
        upload(bob, file(origin))
        upload(bob, file(copied))
        process_all()
        mark("secret")
        assert not SessionTranscript.objects.exists()
        refused = send(file(copied))
        assert (refused.status_code, refused.json()["error"]["code"]) == (410, "records_private")
        assert send(file(fork(origin, name))).status_code == 201
        process_all()
        assert UsageEvent.objects.count() == 1
        assert not is_in_files(data, SECRET)


class TestMeanwhile:
    """Others are at work on the same person."""

    def during(self, monkeypatch: Any, name: str, act: Callable[[], Any]) -> None:
        """Do it once, while the processor has read this session and not yet written."""
        usage = registry.PROCESSORS["usage"]
        left = iter([act])

        def extract(job: Job) -> Any:
            result = usage.extract(job)
            if job.transcript.session_id == name:
                for once in left:
                    once()
            return result

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, extract))

    @pytest.mark.parametrize("extracted", ["secret", "a-fork", "z-fork"])
    def test_a_worker_that_has_read_it_writes_nothing_of_it(
        self, extracted: str, bob: User, monkeypatch: Any
    ):
        origin = lines("secret", 3)
        upload(bob, file(origin))
        for name in ("a-fork", "z-fork"):
            upload(bob, file(fork(origin, name)))
        self.during(monkeypatch, extracted, lambda: withhold(bob, "secret", reason=Reason.PRIVATE, actor=bob))
        run("usage", wait=True)
        process("usage")
        assert set(UsageEvent.objects.values_list("session_id", flat=True)) == {"a-fork", "z-fork"}
        assert UsageEvent.objects.count() == 2
        assert not is_in_database(SECRET)

    @pytest.mark.parametrize("name", ["secret", "a-fork"])
    def test_an_upload_that_is_on_its_way(self, name: str, send: Api, bob: User, data: Any, monkeypatch: Any):
        origin = lines("secret", 3)
        content = file(origin if name == "secret" else fork(origin, name))
        upload(bob, file(origin[:2]) if name == "secret" else file(origin))
        real, left = comparing.compare, iter([1])

        def compare(*args: Any, **options: Any) -> Any:
            for _ in left:
                withhold(bob, "secret", reason=Reason.PRIVATE, actor=bob)
            return real(*args, **options)

        monkeypatch.setattr(storing, "compare", compare)
        assert send(content).status_code == (410 if name == "secret" else 201)
        process_all()
        assert not is_in_files(data, SECRET)
        assert not is_in_database(SECRET)


class TestWhatFails:
    """It is said, and done later."""

    @pytest.fixture(autouse=True)
    def world(self, bob: User) -> None:
        origin = lines("secret", 3)
        upload(bob, file(origin))
        upload(bob, file(fork(origin, "fork")))
        process_all()

    def assert_done_by_the_next_task(self, data: Any) -> None:
        assert WithheldSession.objects.get().cleaned_at is None
        tasks.process_usage()
        assert WithheldSession.objects.get().cleaned_at
        assert not is_in_files(data, SECRET)
        assert not is_in_database(SECRET)
        assert not DoomedFile.objects.exists()

    def test_a_file_that_cannot_be_deleted(self, mark: Api, data: Any, monkeypatch: Any):
        def fail(*args: Any) -> None:
            raise PermissionError("no")

        with monkeypatch.context() as patch:
            patch.setattr(type(default_storage._wrapped), "delete", fail)  # type: ignore[attr-defined]
            answer = mark("secret")
        assert (answer.status_code, answer.json()["left"]) == (202, ["files"])
        self.assert_done_by_the_next_task(data)

    def test_a_list_that_cannot_be_written(self, mark: Api, data: Any, monkeypatch: Any):
        def fail(*args: Any) -> None:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(secret_files, "replace", fail)
            answer = mark("secret")
        assert (answer.status_code, answer.json()["left"]) == (202, ["list"])
        assert not listing.path().exists()
        self.assert_done_by_the_next_task(data)
        assert len(listing.read(listing.path())) == 1

    def test_the_list_is_written_once_for_all(self, mark: Api, bob: User, charlie: User, monkeypatch: Any):
        for person in (bob, charlie):
            mark("secret", person)
        WithheldSession.objects.update(cleaned_at=None)
        written: list[bool] = []
        monkeypatch.setattr(listing, "write", lambda: written.append(True))
        assert withholding.go_on()
        assert len(written) == 1

    def test_a_list_that_is_damaged(self, mark: Api, readmit: Api):
        mark("later")
        listing.path().write_text("{")
        assert readmit("later").status_code == 200
        assert mark("secret").json()["left"] == ["list"]

    def test_a_lake_that_cannot_be_reached(self, mark: Api, data: Any, monkeypatch: Any):
        def fail(**options: Any) -> None:
            raise LakeUnavailable("gone")

        with monkeypatch.context() as patch:
            patch.setattr(publishing_purges, "publish", fail)
            answer = mark("secret")
        assert (answer.status_code, answer.json()["left"]) == (202, ["lake"])
        self.assert_done_by_the_next_task(data)

    def test_a_fork_whose_file_is_lost_goes_too(self, mark: Api, send: Api, data: Any):
        """What it holds cannot be told; uploaded again, it comes back without what is private."""
        part = SessionTranscriptPart.objects.get(transcript__session_id="fork")
        default_storage.delete(part.storage_key)
        assert mark("secret").json()["complete"]
        assert not SessionTranscript.objects.exists()
        assert send(file(fork(lines("secret", 3), "fork", own=3))).status_code == 201
        process_all()
        assert not is_in_files(data, SECRET)
        assert UsageEvent.objects.count() == 3

    def test_a_fork_that_is_uploaded_before_it_was_cleaned(
        self, mark: Api, send: Api, data: Any, monkeypatch: Any
    ):
        with monkeypatch.context() as patch:
            patch.setattr(withholding, "remove_copies_from_files", lambda withheld: False)
            assert mark("secret").json()["left"] == ["copies"]
        assert send(file(fork(lines("secret", 3), "fork", own=3))).json()["status"] == "grown"
        self.assert_done_by_the_next_task(data)
        assert UsageEvent.objects.count() == 3
