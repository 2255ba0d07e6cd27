"""A person's sessions by the API: the list, and one transcript."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.attribution.writing import Belonging, Key, replace_attribution
from telemetry.models import SessionTranscript, SessionTranscriptPart, UsageSessionItem
from telemetry.tests.builders import (
    assistant_line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.figures import processed, upload
from telemetry.tests.planting import plant_state, plant_transcript, store
from telemetry.tests.sessions.conftest import go_away, session, subagent

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["session_id"] for item in answer.json()["items"]]


class TestList:
    def test_newest_first_with_figures_and_subagents_inside(self, get, bob: User, charlie: User):
        session(bob, "old")
        session(bob, "new", at=60, fails=True, cwd="/srv/shop")
        agent = subagent(bob, "new", "a1", at=61)
        session(charlie, "other")
        processed()
        body = get(bob).json()
        assert (body["total"], body["limit"], body["offset"]) == (2, 50, 0)
        new, old = body["items"]
        assert (new["session_id"], old["session_id"]) == ("new", "old")
        assert new["started_at"] == "2026-05-01T10:01:00Z"
        assert (new["project"], new["model"], new["prompts"]) == ("/srv/shop", "claude-a", 1)
        assert (new["tool_calls"], new["errors"], new["wall_seconds"]) == (1, 1, 2.0)
        assert (new["state"], new["error"]) == ("done", None)
        assert new["bytes"] == SessionTranscriptPart.objects.get(transcript__session_id="new",
            transcript__agent_id="").raw_bytes  # fmt: skip
        assert [it["session_file"] for it in new["subagents"]] == [agent.session_file]
        assert new["subagents"][0]["download"].endswith(f"/{agent.session_file}/download")
        assert old["subagents"] == []

    def test_what_is_not_processed_says_why(self, get, bob: User):
        session(bob, "waiting", at=5)
        broken = plant_transcript(bob, "broken")
        plant_state(broken, processed_at=None, attempts=3, last_error="ValueError: no")
        by_id = {item["session_id"]: item for item in get(bob).json()["items"]}
        assert (by_id["waiting"]["state"], by_id["waiting"]["tool_calls"]) == ("waiting", None)
        assert (by_id["broken"]["state"], by_id["broken"]["error"]) == ("given up", "ValueError: no")

    def test_a_fork_stands_where_its_own_records_begin(self, get, bob: User):
        copied = [user_line("Go", timestamp=moment(0)), assistant_line(timestamp=moment(1))]
        store(bob, *(line | {"sessionId": "first"} for line in copied))
        session(bob, "between", at=30)
        own = [user_line("On", timestamp=moment(60)), assistant_line(timestamp=moment(61))]
        store(
            bob,
            *(line | {"sessionId": "fork"} for line in [*copied, *own, user_line("x", timestamp=moment(62))]),
        )
        processed()
        assert ids(get(bob)) == ["fork", "between", "first"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"since": moment(10)}, ["s3", "s2"]),
            ({"until": moment(10)}, ["s1"]),
            ({"since": "2026-05-02"}, []),
            ({"errors": "1"}, ["s2"]),
            ({"errors": "0"}, ["s3", "s2", "s1"]),
            ({"model": "claude-b"}, ["s3"]),
            ({"project": "/srv/shop"}, ["s3", "s2"]),
            ({"project": "/srv/shop", "errors": "1", "since": moment(10)}, ["s2"]),
            ({"plugin": "market/kit"}, ["s1"]),
            ({"plugin": "curated:market/kit"}, ["s1"]),
            ({"plugin": "flea:market/kit"}, []),
            ({"limit": 1, "offset": 1}, ["s2"]),
        ],
    )
    def test_filters(self, get, bob: User, query: dict[str, Any], found: list[str]):
        kit = {Key("market/kit", "kit:go"): Belonging("skill", "kit:go")}
        replace_attribution("curated", {"skills": kit})
        session(bob, "s1")
        call = tool_use("Skill", skill="kit:go")
        agent = {"sessionId": "s1", "agentId": "a", "isSidechain": True, "timestamp": moment(3)}
        store(bob, *(it | agent for it in [user_line("Go"), assistant_line([call]),
            user_line(tool_result(call["id"]))]))  # fmt: skip
        session(bob, "s2", at=20, fails=True, cwd="/srv/shop")
        session(bob, "s3", at=40, cwd="/srv/shop", model="claude-b")
        processed()
        assert ids(get(bob, **query)) == found

    def test_what_a_session_uses_follows_its_transcript(self, bob: User):
        kit = {Key("market/kit", "kit:go"): Belonging("skill", "kit:go")}
        replace_attribution("curated", {"skills": kit})
        lines = [user_line("Go")]
        for size in (1, 2):
            call = tool_use("Skill", skill="kit:go")
            lines += [assistant_line([call]), user_line(tool_result(call["id"]))]
            upload(bob, transcript_bytes(lines))
            processed()
            item = UsageSessionItem.objects.get()
            assert (item.source, item.ref_id, item.invocations) == ("curated", "market/kit", size)
            assert item.main_file == item.session_file

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"limit": 201}, "limit"),
            ({"limit": 0}, "limit"),
            ({"offset": -1}, "offset"),
            ({"since": "yesterday"}, "since"),
            ({"errors": "maybe"}, "errors"),
            ({"model": "a\0b"}, "model"),
            ({"since": "2026-05-02", "until": "2026-05-01"}, "until"),
        ],
    )
    def test_wrong_input_is_named(self, get, bob: User, query: dict[str, Any], field: str):
        answer = get(bob, **query)
        assert answer.status_code == 422
        assert any(field in name for name in answer.json()["error"]["fields"])

    def test_limit_200_is_the_most(self, get, bob: User):
        assert get(bob, limit=200).status_code == 200

    def test_nobody_is_404(self, get, bob: User):
        assert get(User(pk=99_999)).status_code == 404
        assert get(User(pk=99_999), "/download-all").status_code == 404
        assert get(User(pk=2**70)).status_code == 422

    def test_the_number_of_queries_does_not_grow(self, get, bob: User, django_assert_max_num_queries):
        for number in range(12):
            plant_transcript(bob, f"s{number}")
            plant_transcript(bob, f"s{number}", agent_id="a", session_file=f"u{bob.pk}_s{number}_a.jsonl")
        with django_assert_max_num_queries(15):
            assert len(ids(get(bob))) == 12


class TestPermission:
    def test_staff_need_the_permission_and_tokens_the_scope(
        self, client: Client, dana: User, bob: User, token_for
    ):
        session(bob, "s1")
        url = f"/api/admin/users/{bob.pk}/sessions"
        client.force_login(dana)
        assert client.get(url).status_code == 403
        dana.user_permissions.add(Permission.objects.get(codename="read_transcripts"))
        assert client.get(url).status_code == 200
        client.logout()
        for scope, status in ((Scope.READ, 403), (Scope.ADMIN, 200)):
            headers = {"authorization": f"Bearer {token_for(dana, scope)}"}
            assert client.get(url, headers=headers).status_code == status


class TestDownload:
    def test_it_is_the_bytes_that_were_uploaded(self, get, bob: User, alice: User):
        content = transcript_bytes([user_line("Grüße"), assistant_line(), '{"cut": '])
        upload(bob, content)
        transcript = SessionTranscript.objects.get()
        answer = get(bob, f"/{transcript.session_file}/download")
        assert answer.body == content
        assert answer["Content-Length"] == str(len(content))
        assert answer["Content-Disposition"] == f'attachment; filename="{transcript.session_file}"'
        assert answer["Content-Type"] == "application/x-ndjson"
        assert answer["Cache-Control"] == "no-store"
        [row] = AuditLog.objects.filter(action="session.download")
        assert (row.actor, row.target, row.result) == (alice.pk, f"transcript:{transcript.pk}", "ok")

    def test_diverging_parts_come_one_after_another(self, get, bob: User):
        later = transcript_bytes([user_line("B", timestamp=moment(9)), assistant_line(timestamp=moment(9))])
        earlier = transcript_bytes([user_line("A"), assistant_line()])
        upload(bob, later)
        upload(bob, earlier.rstrip(b"\n"))
        answer = get(bob, f"/{SessionTranscript.objects.get().session_file}/download")
        assert answer.body == earlier + later

    def test_the_row_is_there_before_the_first_byte(self, client: Client, alice: User, bob: User):
        transcript = session(bob, "s1")
        client.force_login(alice)
        url = f"/api/admin/users/{bob.pk}/sessions/{transcript.session_file}/download"
        answer: Any = client.get(url)
        assert AuditLog.objects.filter(action="session.download").count() == 1
        go_away(answer)
        results = AuditLog.objects.filter(action="session.download").order_by("pk")
        assert list(results.values_list("result", flat=True)) == ["ok", "not read to its end"]

    def test_a_lost_file_is_told_and_leaves_no_row(self, get, bob: User):
        transcript = plant_transcript(bob)
        answer = get(bob, f"/{transcript.session_file}/download")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stored_file_lost")
        assert not AuditLog.objects.filter(action="session.download").exists()

    def test_a_damaged_file_breaks_off(self, client: Client, alice: User, bob: User):
        transcript = session(bob, "s1")
        SessionTranscriptPart.objects.update(raw_bytes=10**6)
        client.force_login(alice)
        answer: Any = client.get(f"/api/admin/users/{bob.pk}/sessions/{transcript.session_file}/download")
        with pytest.raises(Exception, match="lacks"):
            b"".join(answer.streaming_content)
        last = AuditLog.objects.filter(action="session.download").latest("pk")
        assert last.result == "stored_file_lost"

    def test_anothers_transcript_is_404(self, get, bob: User, charlie: User):
        transcript = session(bob, "s1")
        assert get(charlie, f"/{transcript.session_file}/download").status_code == 404

    @pytest.mark.parametrize(
        "name",
        ["..", "%2e%2e%2f%2e%2e%2fagnes.sqlite3", "..%2fsecret_key", "%00", "u1_x.jsonl%00.txt", "a" * 5000,
         "*", "%ff", "u1_%C2%AD.jsonl"],
    )  # fmt: skip
    def test_names_are_looked_up_and_never_a_path(self, get, bob: User, name: str):
        default_storage.save(
            "secret_key", __import__("django.core.files.base").core.files.base.ContentFile(b"k")
        )
        assert get(bob, f"/{name}/download").status_code == 404
