"""A backup that was made before a session was marked private, restored after it: the session stays away."""

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_q.models import OrmQ

from accounts import secret_files
from accounts.models import AuditLog, User
from agnes.backup import secrets
from agnes.tests.backup.older import as_of_then
from agnes.tests.erasing.test_restore import lose_everything, lose_the_database, run
from telemetry.maintenance import listing
from telemetry.maintenance.withholding import Reason, withhold
from telemetry.models import (
    DoomedFile,
    ProcessingWakeup,
    SessionTranscript,
    UsageDirtyDay,
    UsageEvent,
    WithheldSession,
)
from telemetry.tasks import process_pending
from telemetry.tests.builders import transcript_bytes
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.maintenance.searching import is_in_database, is_in_files
from telemetry.tests.maintenance.test_private import (
    SECRET,
    file,
    fork,
    lines,
    mark,
    process_all,
    readmit,
    send,
)
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

__all__ = ["mark", "readmit", "send"]
pytestmark = pytest.mark.django_db(transaction=True)
Api = Callable[..., Any]
FORK = "z-fork"


def back_up(folder: Path, name: str = "before") -> Path:
    path = folder / f"{name}.tar"
    run("backup", path)
    return path


@pytest.fixture
def backup(bob: User, charlie: User, tmp_path: Path) -> Path:
    """Of a session with a subagent, a fork of it, and sessions beside it, none of them private."""
    origin = lines("secret", 3)
    upload(bob, file(origin))
    upload(bob, transcript_bytes(lines("secret", 2, agentId="a7")).replace(b"secret-", b"sub-"))
    upload(bob, file(fork(origin, FORK, own=2)))
    upload(bob, session("other", calls=2))
    upload(charlie, session("secret", calls=1))
    process_all()
    return back_up(tmp_path)


@pytest.fixture
def assert_withheld(settings: Any, send: Api) -> Callable[[], None]:
    """It is as if the session had never been, but that it is refused."""

    def check() -> None:
        assert not is_in_files(settings.DATA_DIR, SECRET)
        assert not is_in_database(SECRET)
        assert stored() == expected()
        assert in_lake() == in_database()
        assert not UsageDirtyDay.objects.exists()
        assert not DoomedFile.objects.exists()
        assert UsageEvent.objects.filter(session_id=FORK).count() == 2
        assert UsageEvent.objects.filter(session_id="other").count() == 2
        assert UsageEvent.objects.filter(user__email="charlie@example.com").count() == 1
        assert send(file(lines("secret", 3))).json()["error"]["code"] == "session_private"
        assert WithheldSession.objects.get().cleaned_at

    return check


def the_row() -> Any:
    return WithheldSession.objects.values("user", "session_id", "reason", "at", "fingerprint").get()


class TestMarkedAfterTheBackup:
    def test_it_stays_away(self, backup: Path, mark: Api, assert_withheld: Callable[[], None]):
        mark("secret")
        row = the_row()
        assert "Withheld again: 1 session." in run("restore", backup, "--replace")
        # A task that another secret signed would be read by nobody, and hold others back.
        assert not OrmQ.objects.exists()
        assert not ProcessingWakeup.objects.filter(queued_at__isnull=False).exists()
        assert_withheld()
        assert the_row() == row
        told = AuditLog.objects.get(action="session.delete")
        assert told.target == f"withheld_session:{WithheldSession.objects.get().pk}"
        assert (told.params["transcripts"], told.params["copies"], told.actor) == (2, 1, None)

    def test_where_the_database_is_lost(self, backup: Path, mark: Api, assert_withheld: Callable[[], None]):
        mark("secret")
        for _ in range(2):
            row = the_row()
            lose_the_database()
            assert "Withheld again: 1 session." in run("restore", backup)
            assert_withheld()
            assert the_row() == row

    def test_where_the_machine_is_lost(
        self, backup: Path, mark: Api, assert_withheld: Callable[[], None], settings: Any, tmp_path: Path
    ):
        mark("secret")
        copy = Path(shutil.copy(listing.path(), tmp_path / "copy.ndjson"))
        lose_everything(settings)
        assert "Withheld again: 1 session." in run("restore", backup, "--erasures", copy)
        assert_withheld()
        assert listing.read(listing.path()) == listing.read(copy)

    def test_a_list_of_another_installation_says_nothing(
        self, backup: Path, mark: Api, settings: Any, tmp_path: Path
    ):
        mark("secret")
        [entry] = listing.read(listing.path())
        other = tmp_path / "other.ndjson"
        other.write_text(listing.path().read_text().replace(entry.account_hash, "0" * 64))
        lose_everything(settings)
        assert "Withheld again" not in run("restore", backup, "--erasures", other)
        assert not WithheldSession.objects.exists()
        assert is_in_files(settings.DATA_DIR, SECRET)

    def test_what_came_after_the_backup_is_refused_as_well(
        self, bob: User, mark: Api, send: Api, settings: Any, tmp_path: Path
    ):
        """And copies of it, of which only the list tells."""
        backup = back_up(tmp_path)
        upload(bob, file(lines("secret", 3)))
        mark("secret")
        assert "Withheld again: 1 session." in run("restore", backup, "--replace")
        assert send(file(lines("secret", 3))).status_code == 410
        answer = send(file(fork(lines("secret", 3), FORK, own=2)))
        assert "5 lines were left out" in answer.json()["warnings"][0]
        assert not is_in_files(settings.DATA_DIR, SECRET)

    def test_what_an_admin_removed(self, backup: Path, alice: User, bob: User, mark: Api, send: Api):
        mark("secret", alice, "admin", f"?user_id={bob.pk}")
        run("restore", backup, "--replace")
        assert send(file(lines("secret", 3))).json()["error"]["code"] == "session_erased"
        assert not SessionTranscript.objects.of(bob.pk).filter(session_id="secret").exists()

    def test_what_was_marked_before_the_backup_is_not_told(
        self, backup: Path, mark: Api, tmp_path: Path, assert_withheld: Callable[[], None]
    ):
        mark("secret")
        later = back_up(tmp_path, "later")
        assert "Withheld again" not in run("restore", later, "--replace")
        assert_withheld()

    def test_the_doctor_finds_it_where_a_database_was_copied_back(
        self, backup: Path, mark: Api, assert_withheld: Callable[[], None], tmp_path: Path
    ):
        mark("secret")
        aside = listing.path().rename(tmp_path / "aside")
        lose_the_database()
        run("restore", backup)
        aside.rename(listing.path())
        assert "1 private session that this database takes again" in run_doctor()
        assert "Withheld 1 session again." in run_doctor("--fix")
        assert_withheld()


def interrupt(*args: Any, **options: Any) -> Any:
    raise KeyboardInterrupt


def interrupted_restore(*arguments: Any) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="unless it says above that it is restored") as told:
        call_command("restore", *map(str, arguments), stdout=out, stderr=out)
    assert told.value.returncode == 130
    return out.getvalue()


class TestAnInterruptedRestore:
    """Says truly whether something has changed, and never takes what is withheld."""

    @pytest.mark.parametrize(
        "step",
        [
            "agnes.backup.restoring._Restoring._remove_files",
            "agnes.backup.restoring.schedules.sync",
            "agnes.backup.restoring.remove_all_indexes",
            "agnes.management.commands.restore.publish",
            "agnes.management.commands.restore.withholding.go_on",
        ],
    )
    def test_after_the_commit(
        self,
        step: str,
        backup: Path,
        mark: Api,
        send: Api,
        assert_withheld: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ):
        mark("secret")
        with monkeypatch.context() as patch:
            patch.setattr(step, interrupt)
            assert "Restored: " in interrupted_restore(backup, "--replace")
        assert send(file(lines("secret", 3))).status_code == 410
        assert not is_in_database(SECRET)
        process_pending()
        assert_withheld()

    def test_by_a_signal_at_the_commit(
        self, backup: Path, mark: Api, assert_withheld: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ):
        """The database has taken it, and whoever asked for it does not know yet."""
        mark("secret")
        before_the_commit: list[bool] = []
        real_differing, real_commit = secrets.differing, connection.commit

        def differing(*args: Any) -> list[str]:
            before_the_commit.append(True)
            return real_differing(*args)

        def commit() -> None:
            real_commit()
            if before_the_commit:
                before_the_commit.clear()
                os.kill(os.getpid(), signal.SIGTERM)

        with monkeypatch.context() as patch:
            patch.setattr(secrets, "differing", differing)
            patch.setattr(connection, "commit", commit)
            assert "Restored: " in interrupted_restore(backup, "--replace")
        process_pending()
        assert_withheld()

    def test_before_the_commit_nothing_has_changed(
        self, backup: Path, mark: Api, assert_withheld: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ):
        mark("secret")
        row, told = the_row(), AuditLog.objects.count()
        with monkeypatch.context() as patch:
            patch.setattr("agnes.erasing.again.withholding.withhold_as_listed", interrupt)
            assert "Restored: " not in interrupted_restore(backup, "--replace")
        assert the_row() == row
        assert AuditLog.objects.count() == told
        assert_withheld()

    def test_of_an_older_version_is_finished_by_the_doctor(
        self, backup: Path, mark: Api, assert_withheld: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ):
        mark("secret")
        older = as_of_then(backup)
        lose_the_database()
        with monkeypatch.context() as patch:
            patch.setattr("agnes.backup.restoring.again.withhold_listed", interrupt)
            assert "Restored: " in interrupted_restore(older)
        run_doctor("--fix")
        process_pending()
        assert_withheld()


def run_doctor(*arguments: str) -> str:
    """It finds other things, too, such as that no worker runs."""
    out = io.StringIO()
    with suppress(CommandError):
        call_command("doctor", *arguments, stdout=out)
    return out.getvalue()


class TestTakenBack:
    """What was marked, and taken back before anything of it came, is not withheld again."""

    def test_after_the_backup(self, mark: Api, readmit: Api, send: Api, tmp_path: Path):
        mark("later")
        marked = back_up(tmp_path)
        readmit("later")
        assert "Withheld again" not in run("restore", marked, "--replace")
        assert send(session("later")).status_code == 201

    def test_before_the_backup_whatever_an_older_list_says(
        self, mark: Api, readmit: Api, send: Api, settings: Any, tmp_path: Path
    ):
        mark("later")
        old = Path(shutil.copy(listing.path(), tmp_path / "old.ndjson"))
        readmit("later")
        send(session("later"))
        backup = back_up(tmp_path)
        for lost in (lose_the_database, lambda: lose_everything(settings)):
            lost()
            assert "Withheld again" not in run("restore", backup, "--erasures", old)
            assert SessionTranscript.objects.get().session_id == "later"

    def test_and_marked_once_more(self, mark: Api, readmit: Api, send: Api, tmp_path: Path):
        mark("later")
        marked = back_up(tmp_path, "marked")
        readmit("later")
        send(session("later"))
        backup = back_up(tmp_path)
        mark("later")
        assert "Withheld again: 1 session." in run("restore", backup, "--replace")
        assert not SessionTranscript.objects.exists()
        row = the_row()
        run("restore", marked, "--replace")
        assert the_row() == row
        assert "private session" not in run_doctor()
        assert readmit("later").status_code == 410


class TestTheList:
    def test_it_names_nobody(self, backup: Path, bob: User, mark: Api):
        mark("secret")
        row = WithheldSession.objects.get()
        [entry] = listing.read(listing.path())
        assert isinstance(entry, listing.WithheldEntry)
        assert (entry.person, entry.session_id, entry.reason, entry.at, entry.fingerprint) == (
            bob.pk, "secret", "private", row.at, bytes(row.fingerprint),
        )  # fmt: skip
        text = listing.path().read_text()
        assert SECRET not in text
        assert bob.email not in text
        assert listing.path().stat().st_mode & 0o077 == 0

    def test_several_at_once_are_all_on_it(self, bob: User):
        def withhold_one(number: int) -> None:
            try:
                withhold(bob, f"session-{number}", reason=Reason.PRIVATE, actor=bob)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(withhold_one, range(8)))
        assert len(listing.read(listing.path())) == 8

    def test_an_erased_person_s_sessions_leave_it(self, backup: Path, alice: User, bob: User, mark: Api):
        mark("secret")
        run("erase_person", bob.email, "--erase")
        [entry] = listing.read(listing.path())
        assert isinstance(entry, listing.ErasedEntry)
        told = run("restore", backup, "--replace")
        assert "Erased again: 1 person." in told
        assert "Withheld again" not in told

    def test_a_backup_brings_it_up_to_date(self, backup: Path, mark: Api, tmp_path: Path):
        """As after an update, or where other machines withheld sessions."""
        mark("secret")
        [entry] = listing.read(listing.path())
        listing.path().unlink()
        back_up(tmp_path, "later")
        assert listing.read(listing.path()) == [entry]

    def test_what_a_killed_writer_left_goes_with_the_next(self, bob: User, mark: Api, settings: Any):
        mark("secret")
        code = (
            "import os, sys; from pathlib import Path; from accounts import secret_files\n"
            "Path.replace = lambda *args: os._exit(9)\n"
            "secret_files.replace(Path(sys.argv[1]), Path(sys.argv[1]).read_text())"
        )
        killed = [sys.executable, "-c", code, str(listing.path())]
        assert subprocess.run(killed, cwd=settings.BASE_DIR, timeout=60).returncode == 9
        copy = Path(shutil.copy(listing.path(), settings.DATA_DIR / "erasures.ndjson.of-monday"))
        run("erase_person", bob.email, "--erase")
        beside = set(settings.DATA_DIR.glob("erasures.ndjson*"))
        assert beside == {listing.path(), copy}

    def test_a_backup_is_made_though_it_cannot_be_written(
        self, mark: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        mark("secret")

        def fail(*args: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(secret_files, "replace", fail)
            with pytest.raises(CommandError, match=r"is made, but the list.*No space left"):
                back_up(tmp_path)
        run("verify", tmp_path / "before.tar")
        listing.path().write_text("{")
        with pytest.raises(CommandError, match=r"later\.tar is made, but the list"):
            back_up(tmp_path, "later")
