"""`manage.py sessions_import`: a folder such as ~/.claude/projects."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from accounts.models import AuditLog, User
from telemetry.intake import importing
from telemetry.intake.importing import find_transcripts, import_files
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.tests.builders import transcript_bytes, user_line

BOB = "bob@example.com"
threads = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


def session(session_id: str, lines: int = 2, **fields: object) -> bytes:
    made = [user_line(f"{n}", sessionId=session_id, uuid=f"{session_id}-{n}", **fields) for n in range(lines)]
    return transcript_bytes(made)


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """What ~/.claude/projects looks like after a while."""
    root = tmp_path / "projects"
    files = {
        "-home-bob-app/s1.jsonl": session("s1"),
        "-home-bob-app/agent-a0.jsonl": session("s1", agentId="a0", isSidechain=True),
        "-home-bob-app/s1/subagents/agent-a1.jsonl": session("s1", agentId="a1", isSidechain=True),
        "-home-bob-app/s1/subagents/agent-a1.meta.json": b"{}",
        "-home-bob-app/s1/subagents/workflows/wf_1/agent-a2.jsonl": session("s1", agentId="a2"),
        "-home-bob-app/s1/subagents/workflows/wf_1/journal.jsonl": b'{"type":"started","agentId":"a2"}\n',
        "-home-bob-app/empty.jsonl": b"",
        "-home-bob-site/s2.jsonl": session("s2"),
        "-home-bob-site/copy of s2.jsonl": session("s2"),
        "-home-bob-site/notes.md": b"# Notes",
    }
    for name, raw in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`run(path)` imports as bob and gives what was printed."""

    def command(path: Path, *arguments: str, user: str = BOB) -> str:
        call_command("sessions_import", str(path), "--user", user, *arguments)
        return capsys.readouterr().out

    return command


def counts(printed: str) -> dict[str, int]:
    pairs = (line.split() for line in printed.splitlines() if line.startswith("  ") and line[2] != " ")
    return {name: int(count) for name, count in pairs if count != "0"}


class TestImport:
    pytestmark = threads

    def test_it_imports_every_transcript_below(self, run, projects, bob):
        printed = run(projects)
        assert printed.startswith("Files read: 8 of 8")
        assert counts(printed) == {"new": 5, "same": 1, "refused": 2}
        keys = SessionTranscript.objects.values_list("owner", "session_id", "agent_id")
        assert set(keys) == {
            (bob.pk, "s1", ""),
            (bob.pk, "s1", "a0"),
            (bob.pk, "s1", "a1"),
            (bob.pk, "s1", "a2"),
            (bob.pk, "s2", ""),
        }

    def test_what_is_refused_is_named_with_the_reason(self, run, projects, bob):
        printed = run(projects)
        assert "    -home-bob-app/empty.jsonl: Not a transcript: the file is empty." in printed
        assert (
            "wf_1/journal.jsonl: Not a transcript: no line of the file is a user or assistant line" in printed
        )
        assert str(projects) not in printed

    def test_a_second_run_finds_the_same_and_what_has_grown(self, run, projects, bob):
        run(projects)
        (projects / "-home-bob-app/s1.jsonl").write_bytes(session("s1", lines=4))
        (projects / "-home-bob-site/s2.jsonl").write_bytes(session("s2", lines=1))
        assert counts(run(projects)) == {"same": 4, "grown": 1, "shorter": 1, "refused": 2}

    def test_a_single_file(self, run, projects, bob):
        assert counts(run(projects / "-home-bob-site/s2.jsonl")) == {"new": 1}
        assert SessionTranscriptPart.objects.get().uploaded_name == "s2.jsonl"

    def test_it_says_who_processes_them(self, run, projects, bob):
        assert "process_sessions" in run(projects)
        assert "process_sessions" not in run(projects)

    def test_it_is_audited_as_one_command_of_the_owner(self, run, projects, bob):
        run(projects)
        rows = AuditLog.objects.filter(action="session.upload")
        assert {(row.actor, row.client_kind) for row in rows} == {(bob.pk, "command")}
        assert rows.values("request_id").distinct().count() == 1

    def test_create_user_adds_the_person(self, run, projects):
        run(projects, "--create-user", user="New@Example.com")
        person = User.objects.get(email="new@example.com")
        assert not person.has_usable_password()
        assert person.transcripts.count() == 5
        assert AuditLog.objects.get(action="user.create").target == f"user:{person.pk}"
        run(projects, "--create-user", user="new@example.com")
        assert User.objects.count() == 1

    def test_file_names_cannot_command_the_terminal(self, run, tmp_path, bob):
        folder = tmp_path / "odd"
        folder.mkdir()
        (folder / "\x1b[31mred.jsonl").write_bytes(b"")
        (folder / os.fsdecode(b"\xff\xfe.jsonl")).write_bytes(session("s1"))
        printed = run(folder)
        assert "\x1b" not in printed
        assert counts(printed) == {"new": 1, "refused": 1}
        assert SessionTranscriptPart.objects.get().uploaded_name == "\ufffd\ufffd.jsonl"

    def test_an_error_of_the_server_ends_the_import(self, projects, bob, monkeypatch):
        def fail(*args: object, **named: object) -> None:
            raise RuntimeError("disk full")

        monkeypatch.setattr(importing, "store_transcript", fail)
        with pytest.raises(RuntimeError, match="disk full"):
            import_files(find_transcripts(projects), bob)

    def test_it_fails_where_every_file_is_refused(self, projects, bob, capsys):
        for path in projects.rglob("*.jsonl"):
            path.write_bytes(b"")
        with pytest.raises(CommandError, match="every file was refused"):
            call_command("sessions_import", str(projects), "--user", BOB)
        printed = capsys.readouterr().out
        assert counts(printed) == {"refused": 8}
        assert "empty.jsonl: Not a transcript" in printed

    def test_it_counts_the_bytes_read(self, projects, bob):
        files = find_transcripts(projects)
        read: list[int] = []
        import_files(files, bob, on_read=read.append)
        assert sum(read) == sum(file.size for file in files)


def test_an_interrupt_while_it_starts_is_no_traceback(tmp_path):
    """Ctrl-C as soon as the settings are read."""
    settings = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfrom agnes.settings import *\n"
    (tmp_path / "interrupted_settings.py").write_text(settings)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "interrupted_settings",
        "PYTHONPATH": str(tmp_path),
        "AGNES_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "sessions_import", str(tmp_path), "--user", BOB]
    ran = subprocess.run(
        command, cwd=django_settings.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (130, "Interrupted.\n")


@pytest.mark.django_db
class TestMistakes:
    def test_an_unknown_person(self, run, projects):
        with pytest.raises(CommandError, match="--create-user"):
            run(projects)

    def test_an_inactive_person(self, run, projects, bob):
        User.objects.update(is_active=False)
        with pytest.raises(CommandError, match="activate"):
            run(projects)

    def test_no_address(self, run, projects):
        with pytest.raises(CommandError, match="no e-mail address"):
            run(projects, "--create-user", user="bob")

    def test_an_address_that_is_too_long(self, run, projects):
        email = f"someone@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example.com"
        with pytest.raises(CommandError, match="at most 254 characters"):
            run(projects, "--create-user", user=email)
        assert not User.objects.filter(email=email).exists()

    @pytest.mark.parametrize("name", ["missing", "fifo"])
    def test_no_folder(self, run, tmp_path, bob, name):
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(CommandError, match=r"~/\.claude/projects"):
            run(tmp_path / name)

    def test_an_empty_folder(self, run, tmp_path, bob):
        with pytest.raises(CommandError, match=r"There is no \*\.jsonl below"):
            run(tmp_path)


class TestFind:
    def test_links_are_not_followed(self, tmp_path):
        outside = tmp_path / "outside"
        inside = tmp_path / "inside"
        outside.mkdir()
        inside.mkdir()
        (outside / "secret.jsonl").write_bytes(session("s1"))
        (inside / "real.jsonl").write_bytes(session("s2"))
        (inside / "folder").symlink_to(outside, target_is_directory=True)
        (inside / "loop").symlink_to(inside, target_is_directory=True)
        (inside / "link.jsonl").symlink_to(outside / "secret.jsonl")
        os.mkfifo(inside / "pipe.jsonl")
        assert [file.name for file in find_transcripts(inside)] == ["real.jsonl"]

    def test_the_given_folder_may_be_a_link(self, tmp_path, projects):
        (tmp_path / "link").symlink_to(projects, target_is_directory=True)
        assert find_transcripts(tmp_path / "link")


class RealImport:
    """The command in a process of its own, with its own data folder, over files that take a second."""

    FILES = 150

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        source = folder / "projects"
        source.mkdir()
        for number in range(self.FILES):
            (source / f"s{number}.jsonl").write_bytes(session(f"s{number}", lines=1500))
        self.environment = {
            **os.environ,
            "AGNES_DATA_DIR": str(self.data),
            "DATABASE_URL": "",
            "LOG_LEVEL": "WARNING",
        }
        self.manage = [sys.executable, str(django_settings.BASE_DIR / "manage.py")]
        self.command = [*self.manage, "sessions_import", str(source), "--user", BOB, "--create-user"]
        subprocess.run([*self.manage, "migrate", "-v0"], env=self.environment, check=True)

    def run_and_signal(self, number: signal.Signals, *, after: int) -> tuple[int, str, str]:
        """Sends the signal when so many files are stored."""
        process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while process.poll() is None and len(self.stored_files()) < after:
            time.sleep(0.005)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=60)
        return process.returncode, printed, errors

    def run(self) -> dict[str, int]:
        ran = subprocess.run(self.command, env=self.environment, capture_output=True, text=True, check=True)
        return counts(ran.stdout)

    def stored_files(self) -> set[str]:
        return {path.name for path in self.data.glob("transcripts/*/*.zst")}

    def live_parts(self) -> list[str]:
        with closing(sqlite3.connect(self.data / "agnes.sqlite3")) as database:
            rows = database.execute("select sha256 from session_transcript_parts where not superseded")
            return [sha256 for (sha256,) in rows]

    def spooled(self) -> list[Path]:
        return list(self.data.glob("spool/*"))


@pytest.fixture
def real_import(tmp_path: Path) -> RealImport:
    return RealImport(tmp_path)


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_loses_nothing_and_goes_on(real_import, interrupt):
    code, printed, errors = real_import.run_and_signal(interrupt, after=1)
    assert code == 130, errors
    assert "run it again to go on" in errors
    stored = len(real_import.live_parts())
    assert 0 < stored < real_import.FILES
    assert counts(printed) == {"new": stored}
    assert real_import.stored_files() == {f"{sha256}.jsonl.zst" for sha256 in real_import.live_parts()}
    assert real_import.spooled() == []
    assert real_import.run() == {"new": real_import.FILES - stored, "same": stored}


@pytest.mark.slow
@pytest.mark.sample
def test_killed_it_loses_nothing_and_goes_on(real_import):
    """kill -9 at three moments. What it may leave is a file without a row, which is stored again."""
    for after in (1, 30, 60):
        code, _, errors = real_import.run_and_signal(signal.SIGKILL, after=after)
        assert code == -signal.SIGKILL, errors
        stored = {f"{sha256}.jsonl.zst" for sha256 in real_import.live_parts()}
        assert stored <= real_import.stored_files()
    known = len(real_import.live_parts())
    assert real_import.run() == {"new": real_import.FILES - known, "same": known}
    assert len(real_import.live_parts()) == real_import.FILES
    assert real_import.stored_files() == {f"{sha256}.jsonl.zst" for sha256 in real_import.live_parts()}
