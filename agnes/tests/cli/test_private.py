"""agnes mark-private: a private session never reaches usage_events."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import AuditLog, Scope, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted, failing, scripted
from telemetry.models import (
    SessionTranscript,
    UsageDaily,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
    WithheldSession,
)
from telemetry.tests.builders import Line, transcript_bytes, user_line

SECRET = "the secret plan"
# A session of which this machine has no file.
ELSEWHERE = "6f1c2a8e-0000-4000-8000-000000000001"


def with_secret(machine: Machine, session: str, **more: Any) -> list[Line]:
    where = {"sessionId": session, "cwd": str(machine.workspace)}
    return [*machine.session(session, **more), user_line(SECRET, uuid=f"{session}-secret", **where)]


def fork_of(machine: Machine, lines: list[Line], session: str) -> list[Line]:
    """As Claude Code makes one: the history with its ids under another session, then records of its own."""
    copied = [{**line, "sessionId": session} for line in lines]
    return [*copied, *machine.session(session)]


@pytest.mark.django_db(transaction=True)
class TestOnTheServer:
    def sessions_with_usage(self) -> set[str]:
        call_command("process_sessions", verbosity=0)
        return set(UsageEvent.objects.values_list("session_id", flat=True))

    def everything_of(self, session: str) -> int:
        tables = (SessionTranscript, UsageEvent, UsageSessionSummary)
        return sum(table.objects.filter(session_id=session).count() for table in tables)

    def stored(self, folder: Path) -> bytes:
        import zstandard

        files = sorted((folder / "transcripts").rglob("*.zst"))
        return b"".join(zstandard.ZstdDecompressor().stream_reader(it.read_bytes()).read() for it in files)

    def test_marked_before_the_push_it_never_leaves(self, laptop: Machine):
        laptop.write("s1", with_secret(laptop, "s1"))
        laptop.write("s1", agent="a1")
        laptop.write("s2")
        told = laptop.json("mark-private", "s1")
        assert (told["server_told"], told["files"]) == (True, 2)
        assert laptop.json("push")["private"] == 2
        assert self.sessions_with_usage() == {"s2"}
        assert self.everything_of("s1") == 0
        assert AuditLog.objects.filter(action="session.upload").count() == 1

    def test_marked_after_the_push_it_is_removed_and_refused(self, laptop: Machine, own_data_folder: Path):
        path = laptop.write("s1", with_secret(laptop, "s1"))
        laptop.write("s1", agent="a1")
        laptop.write("s2")
        laptop.ok("push")
        assert self.sessions_with_usage() == {"s1", "s2"}
        [before] = UsageDaily.objects.values_list("invocations_builtin", flat=True)
        assert SECRET.encode() in self.stored(own_data_folder)

        assert "removed 2 transcripts" in laptop.ok("mark-private", "s1")
        assert self.everything_of("s1") == 0
        assert UsageMessage.objects.filter(session_file__contains="s1").count() == 0
        assert before == 3
        assert list(UsageDaily.objects.values_list("invocations_builtin", flat=True)) == [1]
        assert SECRET.encode() not in self.stored(own_data_folder)
        [row] = WithheldSession.objects.all()
        assert (row.session_id, row.reason) == ("s1", "private")

        # It grows, and is pushed again.
        path.write_bytes(path.read_bytes() + transcript_bytes(with_secret(laptop, "s1", calls=4)))
        assert laptop.json("push", "--all")["sent"] == 0
        assert self.sessions_with_usage() == {"s2"}

    def test_marked_while_the_server_is_away_it_is_told_with_the_next_push(
        self, laptop: Machine, live_server
    ):
        laptop.write("s1", with_secret(laptop, "s1"))
        laptop.ok("push")
        told = laptop.ok("mark-private", "s1", AGNES_PATIENCE="0", AGNES_SERVER="http://127.0.0.1:9")
        assert "told with the next push" in told
        assert self.sessions_with_usage() == {"s1"}
        assert laptop.json("push")["told_private"] == 1
        assert self.sessions_with_usage() == set()
        assert laptop.json("push")["told_private"] == 0

    def test_a_second_machine_of_the_same_person(self, laptop: Machine, logged_in, bob: User):
        desktop = logged_in(bob, name="desktop")
        lines = with_secret(laptop, "s1")
        laptop.write("s1", lines)
        same = [{**line, "cwd": str(desktop.workspace)} for line in lines]
        desktop.write("s1", same)
        desktop.write("s2", fork_of(desktop, same, "s2"))
        laptop.ok("mark-private", "s1")
        told = desktop.json("push")
        assert (told["private"], told["refused"]) == (1, [])
        assert self.sessions_with_usage() == {"s2"}
        assert desktop.json("status")["private"] == 1
        # It is not even tried a second time.
        (desktop.project() / "s1.jsonl").touch()
        assert desktop.json("push")["private"] == 1

    def test_another_person_is_not_concerned(self, laptop: Machine, logged_in, charlie: User):
        other = logged_in(charlie)
        other.write(ELSEWHERE)
        other.ok("push")
        laptop.ok("mark-private", ELSEWHERE)
        assert self.sessions_with_usage() == {ELSEWHERE}

    @pytest.mark.parametrize("pushed_before", [False, True])
    def test_copies_of_its_records_in_a_fork_stay_out(
        self, laptop: Machine, pushed_before: bool, own_data_folder: Path
    ):
        lines = with_secret(laptop, "s1")
        laptop.write("s1", lines)
        fork = laptop.write("s2", fork_of(laptop, lines, "s2"))
        if pushed_before:
            laptop.ok("push")
            assert self.sessions_with_usage() == {"s1", "s2"}
        told = laptop.json("mark-private", "s1")
        assert told["sharing"] == ["s2"]
        assert "1 other session shares records with it (s2)" in laptop.ok("mark-private", "s1")
        laptop.ok("push")
        fork.write_bytes(fork.read_bytes() + transcript_bytes(laptop.session("s2", calls=2)[2:]))
        laptop.ok("push")
        assert self.sessions_with_usage() == {"s2"}
        uuids = {event.event_uuid for event in UsageEvent.objects.all()}
        assert uuids == {"s2-1", "s2-2"}
        assert SECRET.encode() not in self.stored(own_data_folder)

    def test_it_is_taken_back_as_long_as_nothing_was_removed(self, laptop: Machine):
        for session in ("s1", "s2"):
            laptop.write(session)
        laptop.ok("mark-private", "s1")
        assert "the next push sends it" in laptop.ok("mark-private", "s1", "--undo")
        laptop.ok("push")
        assert self.sessions_with_usage() == {"s1", "s2"}
        laptop.ok("mark-private", "s2")
        done = laptop.run("mark-private", "s2", "--undo")
        assert (done.returncode, "s2 stays private: the server has removed" in done.stderr) == (6, True)
        laptop.ok("push")
        assert self.sessions_with_usage() == {"s1"}

    def test_it_is_told_in_the_name_of_the_account(self, laptop: Machine, bob: User):
        laptop.ok("mark-private", ELSEWHERE)
        row = AuditLog.objects.get(action="session.delete")
        assert (row.actor, row.client_kind) == (bob.pk, "cli")


class TestWhatLeaves:
    """Seen from the other end of the wire."""

    def test_a_fork_leaves_without_copies_and_without_what_may_quote_them(self, client, server: Scripted):
        lines = with_secret(client, "s1")
        client.write("s1", lines)
        own = {"sessionId": "s2", "cwd": str(client.workspace)}
        fork: list[Line | str] = [
            '{"type":"summary","summary":"about the secret plan","leafUuid":"s1-0"}',
            *fork_of(client, lines, "s2"),
            '{"type":"last-prompt","lastPrompt":"the secret plan","sessionId":"s2"}',
            user_line("This session goes on from: the secret plan", isCompactSummary=True, **own),
            user_line("of its own", uuid="own", **own),
            '{"type":"user","uuid":"x","sessionId":"s2", the secret plan',
        ]
        client.write("s2", fork)
        server.always = failing(503)
        client.ok("mark-private", "s1", AGNES_PATIENCE="0")
        server.always = "ok"
        client.ok("push")
        assert set(server.stored) == {"s2.jsonl"}
        body = server.latest()["s2.jsonl"]
        assert SECRET.encode() not in body
        assert body.count(b"\n") == 3
        assert b"of its own" in body

    def test_a_file_of_nothing_but_copies_is_not_sent(self, client: Machine, server: Scripted):
        lines = with_secret(client, "s1")
        client.write("s1", lines)
        client.write("s2", [{**line, "sessionId": "s2"} for line in lines])
        client.ok("mark-private", "s1")
        assert client.json("push")["empty"] == 1
        assert server.stored == {}

    def test_a_resumed_session_of_an_old_version_leaves_without_the_lines_of_the_private_one(
        self, client: Machine, server: Scripted
    ):
        """These kept their session."""
        client.write("s2", [*with_secret(client, ELSEWHERE), *client.session("s2")])
        client.ok("mark-private", ELSEWHERE)
        client.ok("push")
        assert SECRET.encode() not in server.latest()["s2.jsonl"]

    def test_a_subagent_of_an_old_version_stays_with_its_session(self, client: Machine, server: Scripted):
        path = client.write(ELSEWHERE, agent="a1")
        path.rename(client.project() / "agent-a1.jsonl")
        client.ok("mark-private", ELSEWHERE)
        assert client.json("push")["private"] == 1
        assert server.stored == {}

    def test_records_that_came_after_the_mark_are_known_too(self, client: Machine, server: Scripted):
        path = client.write("s1")
        client.ok("mark-private", "s1")
        path.write_bytes(path.read_bytes() + transcript_bytes([with_secret(client, "s1")[-1]]))
        client.write("s2", fork_of(client, with_secret(client, "s1"), "s2"))
        client.ok("push")
        assert SECRET.encode() not in server.latest()["s2.jsonl"]

    def test_marked_in_the_middle_of_a_push_it_is_told_before_the_push_ends(
        self, client: Machine, server: Scripted
    ):
        for name in ("s1", "s2", "s3"):
            client.write(name)

        def mark() -> None:
            server.on_upload = lambda: None
            (client.agnes / "private").mkdir()
            (client.agnes / "private" / "s3.json").write_text('{"session": "s3", "at": "2026-05-01"}')

        server.on_upload = mark
        told = client.json("push")
        assert (told["sent"], told["private"], told["told_private"]) == (2, 1, 1)
        assert set(server.stored) == {"s1.jsonl", "s2.jsonl"}
        assert server.withheld == ["s3"]

    def test_where_the_list_is_damaged_nothing_leaves(self, client: Machine, server: Scripted):
        client.write("s1")
        client.ok("mark-private", ELSEWHERE)
        (client.agnes / "private" / f"{ELSEWHERE}.json").write_text("{")
        done = client.run("push")
        assert (done.returncode, server.stored) == (8, {})
        assert "nothing is sent" in done.stderr


class TestWhichSession:
    def test_the_current_one(self, client: Machine, server: Scripted):
        client.ok("mark-private", CLAUDE_CODE_SESSION_ID="s1-current")
        assert server.withheld == ["s1-current"]

    def test_the_beginning_of_an_id_or_a_file(self, client: Machine, server: Scripted):
        path = client.write("0f8fad5b-one")
        client.write("0f8fad5c-two")
        client.ok("mark-private", "0f8fad5b")
        client.ok("mark-private", str(path))
        assert server.withheld == ["0f8fad5b-one", "0f8fad5b-one"]
        done = client.run("mark-private", "0f8fad5")
        # The first is private, and still known.
        assert (done.returncode, "begins several sessions" in done.stderr) == (2, True)

    def test_a_short_beginning_is_one_too(self, client: Machine, server: Scripted):
        client.write("6f1c2a8e-one")
        client.ok("mark-private", "6f1c")
        client.write("6f1d2a8e-two")
        several = client.run("mark-private", "6f1")
        assert (several.returncode, "begins several sessions" in several.stderr) == (2, True)
        assert server.withheld == ["6f1c2a8e-one"]

    def test_of_another_machine_it_is_the_whole_id(self, client: Machine, server: Scripted):
        wrong = client.run("mark-private", ELSEWHERE[:-1])
        assert wrong.returncode != 0
        assert "No session on this machine begins with" in wrong.stderr
        assert "No file of it is on this machine." in client.ok("mark-private", ELSEWHERE)
        assert server.withheld == [ELSEWHERE]

    def test_none(self, client: Machine):
        assert client.run("mark-private").returncode == 2


class TestUndo:
    def test_what_no_server_knows_can_be_taken_back(self, client: Machine, server: Scripted):
        client.write("s1")
        server.stop()
        client.ok("mark-private", "s1", AGNES_PATIENCE="0")
        client.ok("mark-private", "s1", "--undo")
        with scripted(server.port) as back:
            assert client.json("push")["sent"] == 1
            assert (set(back.stored), back.withheld) == ({"s1.jsonl"}, [])

    def test_of_what_a_server_knows_it_is_asked(self, client: Machine, server: Scripted):
        client.write("s1")
        client.ok("mark-private", "s1")
        client.ok("mark-private", "s1", "--undo")
        assert server.withheld == []
        assert client.json("push")["sent"] == 1

    @pytest.mark.parametrize("code", [500, 410])
    def test_it_stays_private_where_the_server_does_not_agree(self, client, server: Scripted, code: int):
        client.write("s1")
        client.ok("mark-private", "s1")
        server.script.append(failing(code, "session_private"))
        assert client.run("mark-private", "s1", "--undo", AGNES_PATIENCE="0").returncode in (5, 6)
        told = client.json("push")
        assert (told["private"], told["told_private"], server.stored) == (1, 0, {})

    def test_nor_where_it_is_the_server_of_somebody_else(self, client: Machine, server: Scripted):
        client.ok("mark-private", ELSEWHERE)
        client.log_in(server.url, f"agnes_{'a' * 12}_{'c' * 40}", user_id=8, email="charlie@example.com")
        done = client.run("mark-private", ELSEWHERE, "--undo")
        assert (done.returncode, "another account" in done.stderr, server.withheld) == (6, True, [ELSEWHERE])

    def test_what_is_not_private(self, client: Machine):
        assert client.run("mark-private", "s2", "--undo").returncode == 7


class TestServersThatCannot:
    def test_pushes_go_on_and_the_server_is_told_when_it_can(self, client: Machine, server: Scripted):
        client.write("s1")
        client.write("s2")
        server.script.append(failing(404))
        assert "cannot withhold sessions yet" in client.ok("mark-private", "s1")
        server.script.append(failing(405))
        server.script.append("ok")
        server.script.append(failing(405))
        assert client.json("push")["sent"] == 1
        assert set(server.stored) == {"s2.jsonl"}
        assert client.json("push")["told_private"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_token_for_reading_cannot_mark(logged_in, bob: User):
    laptop = logged_in(bob, Scope.READ)
    told = laptop.ok("mark-private", ELSEWHERE)
    assert "lacks the scope upload" in told
    assert not WithheldSession.objects.exists()


def test_without_a_login_it_stays_all_the_same(machine: Machine):
    machine.write("s1")
    assert "told with the first push" in machine.ok("mark-private", "s1")
    with scripted() as server:
        machine.log_in(server.url, f"agnes_{'a' * 12}_{'b' * 40}", user_id=7, email="bob@example.com")
        machine.ok("push")
        assert (server.stored, server.withheld) == ({}, ["s1"])
