"""`manage.py backup` and `manage.py restore`, in one installation."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import audit
from accounts.models import AuditLog, User
from accounts.tests.test_audit_log import refuses
from agnes.backup.files import named_files
from agnes.backup.making import make_backup
from agnes.backup.tables import LEFT_OUT, dumped_tables
from agnes.backup.totals import totals_of
from agnes.tests.backup.world import OF_THE_WAY, figures, rows_of
from marketplace.models import StoreEntity
from telemetry.models import SessionProcessorClaim, SessionTranscript, SessionTranscriptPart, UsageEvent
from telemetry.processors.processing import process
from telemetry.tests.figures import upload
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)


def run(name: str, *arguments: Any) -> str:
    """What the command wrote, warnings included."""
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def ruin(bob: User) -> None:
    """Some of everything is gone or changed, and there is something new."""
    dave = User.objects.create_user("dave@example.com")
    upload(dave, session("new", calls=9))
    process("usage")
    User.objects.filter(pk=bob.pk).update(name="Mallory", is_staff=True)
    bob.groups.clear()
    for file in list(named_files())[:5]:
        default_storage.delete(file.key)
    UsageEvent.objects.all().delete()
    SessionTranscript.objects.filter(session_id="grows").delete()
    StoreEntity.objects.update(state="archived", served=None)


class TestThereAndBack:
    def test_everything_is_as_it_was(self, world: str, file: Path, alice: User, bob: User):
        before = figures(alice)
        assert "Restored" in (run("backup", file), run("restore", file, "--replace"))[1]
        assert figures(alice) == before
        ruin(bob)
        assert figures(alice) != before
        run("restore", file, "--replace")
        assert figures(alice) == before

    def test_every_row_is_the_same(self, world: str, file: Path, tmp_path: Path, bob: User):
        manifest = make_backup(file)
        assert manifest.tables.keys() == {table.name for table in dumped_tables()}
        ruin(bob)
        run("restore", file, "--replace")
        make_backup(tmp_path / "again.tar")
        one, two = rows_of(file), rows_of(tmp_path / "again.tar")
        for name in one.keys() - OF_THE_WAY:
            rollup = name.endswith(("_daily", "_window"))
            assert _sorted(one[name], rollup) == _sorted(two[name], rollup), name
        assert two["audit_log"][: len(one["audit_log"])] == one["audit_log"]

    def test_people_go_on_where_they_were(self, world: str, file: Path, bob: User, client: Client):
        run("backup", file)
        ruin(bob)
        run("restore", file, "--replace")
        headers = {"authorization": f"Bearer {world}"}
        grown = session("mine", calls=2)
        for expected in ("new", "same"):
            answer = client.post(
                "/api/upload/sessions", data=grown, content_type="application/x-ndjson", headers=headers
            )
            assert answer.json()["status"] == expected
        assert User.objects.create_user("erin@example.com").pk > User.objects.get(email=bob.email).pk
        report = process("usage")
        assert (report.processed, report.failed) == (2, 0)

    def test_the_audit_log_is_closed_again_and_tells_of_both(self, world: str, file: Path):
        run("backup", file)
        run("restore", file, "--replace")
        assert refuses("DELETE FROM audit_log")
        last = AuditLog.objects.order_by("-pk")[:2]
        assert [(row.action, row.client_kind) for row in last] == [
            ("system.restore", "command"),
            ("system.backup", "command"),
        ]
        assert audit.record("auth.login").pk > last[0].pk

    def test_what_is_under_way_is_no_part_of_it(self, world: str, file: Path):
        run("backup", file)
        run("restore", file, "--replace")
        assert not SessionProcessorClaim.objects.exists()

    def test_files_of_what_was_replaced_are_gone(self, world: str, file: Path, bob: User):
        run("backup", file)
        upload(bob, session("later"))
        key = SessionTranscriptPart.objects.get(transcript__session_id="later").storage_key
        run("restore", file, "--replace")
        assert not default_storage.exists(key)

    def test_the_totals_are_told(self, world: str, file: Path):
        told = run("backup", file)
        for name in ("people", "transcripts", "events", "invocations by day"):
            assert f"{totals_of()[name]} {name}" in told
        what = told.splitlines()[0].partition(": ")[2]
        assert run("verify", file) == f"{file} is whole: {what}\n"


def _sorted(rows: list[Any], rollup: bool) -> list[Any]:
    """Publishing gives roll-ups new ids, and windows another time."""
    return sorted((row[1:7] for row in rows), key=repr) if rollup else rows


class TestTheFile:
    def test_it_is_its_owners_alone(self, world: str, file: Path):
        run("backup", file)
        assert file.stat().st_mode & 0o077 == 0
        assert [path.name for path in file.parent.iterdir() if "agnes.tar" in path.name] == ["agnes.tar"]

    def test_it_is_never_overwritten(self, world: str, file: Path):
        file.write_text("precious")
        with pytest.raises(CommandError, match="is there already"):
            run("backup", file)
        assert file.read_text() == "precious"
        assert not AuditLog.objects.filter(action="system.backup").exists()

    def test_it_is_checked_without_agnes(self, world: str, file: Path, tmp_path: Path):
        import subprocess

        run("backup", file)
        folder = tmp_path / "unpacked"
        folder.mkdir()
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
        lists = sorted(str(path.relative_to(folder)) for path in folder.glob("checksums/*"))
        subprocess.run(["sha256sum", "--check", "--quiet", *lists], cwd=folder, check=True, timeout=30)

    def test_where_it_cannot_be_written_nothing_is_left(self, world: str, tmp_path: Path):
        with pytest.raises(CommandError, match="No such file or directory"):
            run("backup", tmp_path / "missing" / "agnes.tar")

    def test_a_disk_that_fills_is_told(self, world: str, file: Path, monkeypatch: pytest.MonkeyPatch):
        def full(*args: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tarfile.TarFile, "addfile", full)
        with pytest.raises(CommandError, match="No space left on device"):
            run("backup", file)
        assert list(file.parent.glob("agnes.tar*")) == []
        rows = AuditLog.objects.filter(action="system.backup").order_by("pk")
        assert [row.result for row in rows] in ([], ["ok", "incomplete"])

    def test_lost_files_are_told_and_restored_as_lost(self, world: str, file: Path):
        told = run("backup", file)
        assert f"{'a' * 64}.jsonl.zst is lost" in told
        assert f"{'a' * 64}.jsonl.zst was lost" in run("restore", file, "--replace")


def test_every_table_is_in_it_or_named():
    from django.apps import apps

    models = [it for it in apps.get_models(include_auto_created=True) if not it._meta.proxy]
    labels = {model._meta.label for model in models}
    assert labels >= LEFT_OUT
    assert {table.model._meta.label for table in dumped_tables()} == labels - LEFT_OUT
