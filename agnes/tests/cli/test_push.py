"""agnes push, to a real server."""

import os

import pytest
from django.core.management import call_command

from accounts.models import AuditLog, Scope, User
from agnes.tests.cli.machines import Machine
from telemetry.models import SessionTranscript, UsageEvent
from telemetry.tests.builders import transcript_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def sessions() -> set[tuple[str, str]]:
    return set(SessionTranscript.objects.values_list("session_id", "agent_id"))


def calls() -> dict[str, int]:
    """By session, once everything is processed."""
    call_command("process_sessions", verbosity=0)
    counts: dict[str, int] = {}
    for session in UsageEvent.objects.values_list("session_id", flat=True):
        counts[session] = counts.get(session, 0) + 1
    return counts


class TestPush:
    def test_it_sends_sessions_with_their_subagents_and_what_has_grown(self, laptop: Machine, bob: User):
        first = laptop.write("s1")
        laptop.write("s1", agent="a1")
        laptop.write("s2")
        told = laptop.json("push")
        assert (told["sent"], told["known"], told["left"]) == (3, 0, 0)
        assert sessions() == {("s1", ""), ("s1", "a1"), ("s2", "")}
        assert calls() == {"s1": 2, "s2": 1}

        first.write_bytes(transcript_bytes(laptop.session("s1", calls=3)))
        told = laptop.json("push")
        assert (told["sent"], told["known"]) == (1, 2)
        assert calls() == {"s1": 4, "s2": 1}
        assert SessionTranscript.objects.get(session_id="s1", agent_id="").parts.live().count() == 1
        assert laptop.json("push")["sent"] == 0
        assert AuditLog.objects.filter(action="session.upload", client_kind="cli").count() == 4

    def test_a_line_that_is_still_written_waits(self, laptop: Machine):
        *lines, last = laptop.session("s1", calls=2)
        path = laptop.write("s1", lines)
        whole = path.read_bytes() + transcript_bytes([last])
        path.write_bytes(whole[:-20])
        laptop.ok("push")
        assert calls() == {"s1": 1}
        path.write_bytes(whole)
        laptop.ok("push")
        assert calls() == {"s1": 2}
        assert SessionTranscript.objects.get().parts.live().count() == 1

    def test_it_tells_nobody_where_the_workspace_lies(self, laptop: Machine):
        laptop.write("s1", agent="a1")
        laptop.ok("push")
        [part] = SessionTranscript.objects.get().parts.all()
        assert part.uploaded_name == "s1/subagents/agent-a1.jsonl"

    def test_a_file_without_messages_is_not_sent(self, laptop: Machine):
        laptop.write("s1", ['{"type":"mode","mode":"x"}'])
        assert laptop.json("push")["empty"] == 1
        assert sessions() == set()

    def test_a_removed_ledger_sends_nothing_twice(self, laptop: Machine):
        laptop.write("s1")
        laptop.ok("push")
        for file in laptop.agnes.glob("ledger*"):
            file.unlink()
        laptop.ok("push")
        assert SessionTranscript.objects.get().revision == 1
        assert calls() == {"s1": 1}

    def test_a_token_without_the_scope_sends_nothing(self, logged_in, bob: User):
        laptop = logged_in(bob, Scope.READ)
        laptop.write("s1")
        done = laptop.run("push")
        assert (done.returncode, "lacks the scope upload" in done.stderr) == (4, True)

    def test_two_accounts_on_a_machine_have_their_own_ledgers(self, laptop, charlie, token_for, live_server):
        laptop.write("s1")
        laptop.ok("push")
        token = token_for(charlie, Scope.UPLOAD)
        laptop.log_in(live_server.url, token, user_id=charlie.pk, email=charlie.email)
        assert laptop.json("push")["sent"] == 1

    def test_a_machine_without_a_login_has_its_token_in_the_environment(
        self, machine: Machine, bob: User, token_for, live_server
    ):
        machine.environment |= {
            "AGNES_SERVER": live_server.url,
            "AGNES_TOKEN": token_for(bob, Scope.UPLOAD),
        }
        machine.write("s1")
        assert machine.json("push")["sent"] == 1
        assert machine.json("push")["known"] == 1
        assert not (machine.agnes / "token").exists()


class TestWhichSessions:
    def test_those_of_the_workspace_and_below_it_alone(self, laptop: Machine):
        below, beside, alike = (laptop.home / name for name in ("work/sub/folder", "work-two", "work.sub"))
        for number, folder in enumerate((laptop.workspace, below, beside, alike)):
            folder.mkdir(parents=True, exist_ok=True)
            lines = [{**line, "cwd": str(folder)} for line in laptop.session(f"s{number}")]
            laptop.write(f"s{number}", lines, workspace=folder)
        laptop.ok("push")
        assert {session for session, _ in sessions()} == {"s0", "s1"}
        laptop.ok("push", "--all")
        assert {session for session, _ in sessions()} == {"s0", "s1", "s2", "s3"}

    def test_two_folders_of_one_name_in_claude_code_are_told_apart(self, laptop: Machine):
        """/home/x/work-a and /home/x/work.a share a folder there."""
        one, two = laptop.home / "work-a", laptop.home / "work.a"
        for folder, session in ((one, "s1"), (two, "s2")):
            folder.mkdir()
            lines = [{**line, "cwd": str(folder)} for line in laptop.session(session)]
            laptop.write(session, lines, workspace=folder)
        assert laptop.project(one) == laptop.project(two)
        laptop.ok("push", cwd=one)
        assert {session for session, _ in sessions()} == {"s1"}

    def test_the_home_folder_is_not_all_workspaces_below_it(self, laptop: Machine):
        laptop.write("s1")
        lines = [{**line, "cwd": str(laptop.home)} for line in laptop.session("s2")]
        laptop.write("s2", lines, workspace=laptop.home)
        laptop.ok("push", cwd=laptop.home)
        assert {session for session, _ in sessions()} == {"s2"}

    def test_from_a_folder_inside_a_repository_all_of_it(self, laptop: Machine):
        (laptop.workspace / ".git").mkdir()
        inner = laptop.workspace / "src"
        inner.mkdir()
        laptop.write("s1")
        laptop.ok("push", cwd=inner)
        assert sessions() == {("s1", "")}

    def test_a_subagent_of_an_old_version_lies_beside_its_session(self, laptop: Machine):
        path = laptop.write("s1", agent="a1")
        os.replace(path, laptop.project() / "agent-a1.jsonl")
        laptop.ok("push")
        assert sessions() == {("s1", "a1")}

    def test_what_is_no_transcript_is_left_alone(self, laptop: Machine):
        laptop.write("s1")
        folder = laptop.project() / "s1" / "subagents" / "workflows" / "wf_1"
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_text('{"a": 1}\n')
        (laptop.project() / "notes.md").write_text("x")
        os.symlink(laptop.project() / "s1.jsonl", laptop.project() / "s2.jsonl")
        assert laptop.json("push")["sent"] == 1

    def test_claude_code_may_keep_them_elsewhere(self, laptop: Machine):
        laptop.write("s1")
        os.rename(laptop.claude, laptop.home / "elsewhere")
        assert laptop.json("push")["sent"] == 0
        assert laptop.json("push", CLAUDE_CONFIG_DIR=str(laptop.home / "elsewhere"))["sent"] == 1


class TestDryRun:
    def test_it_says_what_would_be_sent(self, laptop: Machine):
        laptop.write("s1")
        told = laptop.json("push", "--dry-run")
        assert [it["name"] for it in told["waiting"]] == ["s1.jsonl"]
        assert laptop.ok("push", "--dry-run").splitlines()[1].startswith("s1.jsonl\t")
        assert sessions() == set()


class TestQuiet:
    def test_it_says_nothing_where_all_is_well(self, laptop: Machine):
        laptop.write("s1")
        done = laptop.run("push", "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert sessions() == {("s1", "")}

    def test_it_says_what_is_wrong(self, machine: Machine):
        done = machine.run("push", "--quiet")
        assert (done.returncode, done.stdout) == (3, "")
        assert "agnes login" in done.stderr
