"""manage.py usage_export"""

import errno
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditLog, User
from telemetry.errors import ExportTooWide
from telemetry.export import child
from telemetry.export.formats import Format
from telemetry.export.process import ExportProcess
from telemetry.management.commands import usage_export
from telemetry.tests.export.conftest import FIRST, build_events, event

pytestmark = pytest.mark.django_db

# Starts the process of an export so that a single byte is too much memory for it, unless it is frugal.
STRICT_PYTHON = """#!/bin/sh
exec {python} -c 'import sys
from telemetry.export import child
child.MAX_MEMORY = 1
child.main(int(sys.argv[1]))' "$3"
"""


@pytest.fixture(autouse=True)
def some_events(bob: User) -> None:
    build_events(*(event(number, user_id=bob.pk * (number % 2)) for number in range(8)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder / "usage.csv"


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def note_pids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the processes that are started from now on to export."""
    pids = []
    read = ExportProcess.read

    def note_and_read(process: ExportProcess) -> bytes:
        pids.append(process._child.pid)
        return read(process)

    monkeypatch.setattr(ExportProcess, "read", note_and_read)
    return pids


class TestExport:
    @pytest.mark.parametrize("format", Format)
    @pytest.mark.parametrize("filters", [{}, {"since": "2026-05-02", "until": "2026-05-03T12:00:00Z"}])
    def test_its_bytes_are_those_of_the_api(self, command, get, bob: User, format: Format, filters):
        options = [f"--{name}={value}" for name, value in filters.items()]
        told = command(f"--format={format}", f"--user={bob.email}", *options)
        assert told == get(format=format, user_id=bob.pk, **filters).body
        if format.is_text:
            assert b"id-00003" in told
            assert b"id-00002" not in told

    def test_it_has_every_filter_of_the_api(self, command, get):
        assert command("--dataset=tool_daily") == get(dataset="tool_daily").body
        options = ["--source=x", "--spreadsheet-safe"]
        with pytest.raises(CommandError, match="source: one of curated"):
            command(*options)
        assert command("--source=flea", options[1]) == get(source="flea", spreadsheet_safe="1").body

    def test_a_person_is_named_by_address_or_id(self, command, bob: User):
        assert command("--user=BOB@example.com") == command(f"--user={bob.pk}") != command()

    def test_it_says_what_it_did(self, out: Path):
        told = StringIO()
        call_command("usage_export", out=out, stdout=told)
        assert told.getvalue() == f"8 rows in {out}, as of 2026-06-01T12:00:00+00:00.\n"

    def test_it_is_audited_as_a_command(self, command, bob: User):
        command("--format=ndjson", f"--user={bob.email}")
        row = AuditLog.objects.get(action="usage.export")
        assert (row.actor, row.client_kind, row.result) == (None, "command", "ok")
        assert row.params == {"dataset": "events", "format": "ndjson", "user_id": bob.pk, "rows": 4}

    def test_without_out_it_goes_to_standard_output(self, command, capfdbinary):
        call_command("usage_export", "--format=json")
        written = capfdbinary.readouterr()
        assert written.out == command("--format=json")
        assert written.err == b""

    def test_only_its_owner_may_read_the_file(self, out: Path):
        call_command("usage_export", out=out, verbosity=0)
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert left_in(out.parent) == [out.name]

    def test_it_replaces_a_file_where_a_link_leads(self, out: Path, tmp_path: Path):
        target = tmp_path / "real.csv"
        target.write_text("old")
        out.symlink_to(target)
        call_command("usage_export", out=out, verbosity=0)
        assert out.is_symlink()
        assert target.read_bytes().startswith(b"id,")


class TestLittleMemory:
    def too_little_memory(self, monkeypatch, *, for_ever: bool = False) -> None:
        """The process of an export says after its last byte that it had too little."""
        hear = ExportProcess._hear

        def refuse(process: ExportProcess, word: str) -> object:
            if word == "done" and (for_ever or not process._plan.is_frugal):
                raise ExportTooWide
            return hear(process, word)

        monkeypatch.setattr(ExportProcess, "_hear", refuse)

    @pytest.mark.parametrize("format", Format)
    def test_it_begins_again_and_gives_every_byte_once(self, command, monkeypatch, format: Format):
        whole = command(f"--format={format}")
        self.too_little_memory(monkeypatch)
        assert command(f"--format={format}") == whole

    def test_the_process_finds_out_by_itself_even_before_the_first_row(
        self, command, monkeypatch, tmp_path: Path, caplog
    ):
        whole = command("--format=ndjson")
        strict = tmp_path / "strict"
        strict.write_text(STRICT_PYTHON.format(python=sys.executable))
        strict.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(strict))
        with caplog.at_level(logging.INFO, "telemetry.export.process"):
            assert command("--format=ndjson") == whole
        assert "An export did not fit in memory: the process takes " in caplog.text
        assert "begins again" in caplog.text

    def test_it_names_the_cure_in_the_end(self, command, monkeypatch):
        self.too_little_memory(monkeypatch, for_ever=True)
        with pytest.raises(CommandError, match="Export a narrower range"):
            command()

    def test_cores_are_counted_where_the_system_tells_of_no_affinity(self, monkeypatch):
        monkeypatch.delattr(os, "sched_getaffinity")
        assert child._cores() == os.cpu_count()


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--since=yesterday"], "since: a date, or a date-time with zone"),
            (["--format=xml"], "format: one of csv, json, ndjson, parquet"),
            (["--user=nobody@example.com"], "user: there is no person nobody@example.com"),
            (["--user=bob"], "user: the number of a person"),
            (
                ["--dataset=tool_daily", "--user=bob@example.com"],
                "user: the data set tool_daily has no column user_id",
            ),
            (["--format=json", "--spreadsheet-safe"], "spreadsheet-safe: goes with format=csv only"),
            (["--user=no@example.com", "--format=xml"], "format: one of csv.*; user: there is no person"),
        ],
    )
    def test_a_wrong_filter_is_told(self, out: Path, options: list[str], says: str):
        with pytest.raises(CommandError, match=says):
            call_command("usage_export", *options, out=out)
        assert left_in(out.parent) == []
        assert not AuditLog.objects.filter(action="usage.export").exists()

    def test_a_folder_is_no_file(self, out: Path):
        with pytest.raises(CommandError, match="is no file"):
            call_command("usage_export", out=out.parent)
        with pytest.raises(CommandError, match="is no file"):
            call_command("usage_export", out=Path("/dev/null"))

    def test_a_missing_folder_is_told(self, out: Path):
        with pytest.raises(CommandError, match="There is no folder"):
            call_command("usage_export", out=out / "deeper" / "usage.csv")


class TestFailures:
    """The file that was there before stays, and nothing half-written is left."""

    @pytest.fixture(autouse=True)
    def a_file_of_before(self, out: Path) -> None:
        out.write_text("before")

    @pytest.fixture
    def untouched(self, out: Path):
        def is_untouched() -> bool:
            return left_in(out.parent) == [out.name] and out.read_text() == "before"

        return is_untouched

    def test_when_the_other_process_dies(self, bob: User, out: Path, monkeypatch, untouched, settings):
        # More than fits into the pipe, so that it cannot have told everything by then.
        shutil.rmtree(settings.LAKE_URL)
        same_day = {"user_id": bob.pk, "occurred_at": FIRST, "cwd": "x" * 255}
        build_events(*(event(number, **same_day) for number in range(3000)))
        monkeypatch.setattr(ExportProcess, "_enlarge_pipe", lambda process: None)
        read = ExportProcess.read

        def kill_and_read(process: ExportProcess) -> bytes:
            process._child.kill()
            process._child.wait()
            return read(process)

        monkeypatch.setattr(ExportProcess, "read", kill_and_read)
        with pytest.raises(CommandError, match="not all rows could be read"):
            call_command("usage_export", out=out)
        assert untouched()
        results = list(AuditLog.objects.filter(action="usage.export").values_list("result", flat=True))
        assert sorted(results) == ["export_failed", "ok"]

    def test_when_the_disk_is_full(self, out: Path, monkeypatch, untouched):
        def full(*args: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CommandError, match="No space left on device"):
            call_command("usage_export", out=out)
        assert untouched()

    def test_when_standard_output_is_full(self, monkeypatch):
        def full(*args: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(usage_export, "copy", full)
        with pytest.raises(CommandError, match="Not everything was written to standard output: No space"):
            call_command("usage_export")

    def test_when_no_process_can_be_started(self, out: Path, monkeypatch, untouched):
        def refuse(*args: object, **options: object) -> None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        descriptors = len(os.listdir("/dev/fd"))
        monkeypatch.setattr(subprocess, "Popen", refuse)
        with pytest.raises(CommandError, match="did not start: Resource temporarily unavailable"):
            call_command("usage_export", out=out)
        assert untouched()
        assert len(os.listdir("/dev/fd")) == descriptors

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_when_it_is_interrupted(self, out: Path, monkeypatch, untouched, number: signal.Signals):
        def interrupt(*args: object) -> None:
            os.kill(os.getpid(), number)

        pids = note_pids(monkeypatch)
        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(CommandError, match="Interrupted") as raised:
            call_command("usage_export", out=out)
        assert raised.value.returncode == 130
        assert untouched()
        assert not Path(f"/proc/{pids[0]}").exists()
