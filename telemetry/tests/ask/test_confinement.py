"""What the process of a statement cannot do, whatever ran in it: here it is Python that tries."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from telemetry.ask import kernel
from telemetry.ask.running import run_statement
from telemetry.tests.ask.messages_api import Server
from telemetry.tests.ask.test_running import EVENTS as EVENTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lake")]

SCHED = Path("/proc/self/sched")

_TRY = """
import os, sys; sys.path.insert(0, sys.argv[1])
from telemetry.ask import worker

def told(attempt):
    try:
        return str(attempt())
    except OSError as error:
        return type(error).__name__

def answer(asked):
    import socket, subprocess
    attempts = {ATTEMPTS}
    return {"columns": ["what"], "rows": [[told(attempt)] for attempt in attempts], "truncated": False,
            "duration_ms": 0}

worker._answer = answer
worker.main()
"""

_A_SERVER = """
import subprocess, sys, time
code = "from telemetry.ask.kernel import limit; limit(); print(flush=True); import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def tried(monkeypatch: Any, *attempts: str) -> list[str]:
    """What became of these expressions in such a process; an error as its name."""
    code = "[" + ", ".join(f"lambda: {attempt}" for attempt in attempts) + "]"
    monkeypatch.setattr("telemetry.ask.running._START", _TRY.replace("{ATTEMPTS}", code))
    return [row[0] for row in run_statement("SELECT count(*) FROM usage_events").rows]


class TestLimits:
    def test_memory_time_files_and_priority(self, monkeypatch: Any) -> None:
        limits = [f"__import__('resource').getrlimit({what})" for what in kernel.LIMITS]
        found = tried(
            monkeypatch,
            *limits,
            "os.getpriority(os.PRIO_PROCESS, 0)",
            "open('/proc/self/oom_score_adj').read().strip()",
        )
        assert found == [*(str((most, most)) for most in kernel.LIMITS.values()), "19", "1000"]

    @pytest.mark.skipif(
        not Path("/proc/self/autogroup").exists(), reason="this kernel has no groups of sessions"
    )
    def test_its_session_comes_last_too(self, monkeypatch: Any) -> None:
        [group] = tried(monkeypatch, "open('/proc/self/autogroup').read()")
        assert group.endswith("nice 19\n")

    @pytest.mark.skipif(
        not SCHED.exists() or "se.slice" not in SCHED.read_text(),
        reason="this kernel does not tell a process's slice",
    )
    def test_whoever_wakes_up_goes_first(self, monkeypatch: Any) -> None:
        """Its slices of time are longer than anybody's: Linux lets those with shorter ones interrupt it."""
        [slice_] = tried(monkeypatch, f"open('{SCHED}').read().split('se.slice')[1].split()[1]")
        assert slice_ == "100000000"

    def test_it_leads_a_session_of_its_own(self, monkeypatch: Any) -> None:
        assert tried(monkeypatch, "os.getsid(0) == os.getpid()", "os.getcwd()") == ["True", "/"]

    @pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell it")
    def test_it_ends_with_who_started_it(self, settings: Any) -> None:
        """Such as a web server that is killed while a question runs."""
        command = [sys.executable, "-c", _A_SERVER]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=settings.BASE_DIR) as server:
            assert server.stdout is not None
            child = int(server.stdout.readline())
            assert is_running(child)
            server.kill()
        for _ in range(1000):
            if not is_running(child):
                return
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        pytest.fail("it outlived its server")


def is_running(process: int) -> bool:
    """Or waits only for being noticed."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.skipif(kernel.version() < 6, reason="this kernel's Landlock cannot forbid all of it")
class TestKernel:
    def test_it_reads_the_lake_and_nothing_else_of_anybody(
        self, monkeypatch: Any, lake: Path, settings: Any
    ) -> None:
        secret = Path(settings.DATA_DIR, "secret")
        secret.write_text("secret")
        [events] = lake.joinpath("usage_events").rglob("*.parquet")
        others = [secret, Path(settings.BASE_DIR, "README.md"), "/etc/passwd", f"/proc/{os.getpid()}/environ"]
        found = tried(monkeypatch, *(f"open({str(path)!r}, 'rb').read(4)" for path in [events, *others]))
        assert found == ["b'PAR1'", *["PermissionError"] * len(others)]

    def test_it_changes_nothing(self, monkeypatch: Any, lake: Path, tmp_path: Path) -> None:
        [events] = lake.joinpath("usage_events").rglob("*.parquet")
        size = events.stat().st_size
        found = tried(
            monkeypatch,
            f"open({str(events)!r}, 'ab')",
            f"os.truncate({str(events)!r}, 0)",
            f"os.unlink({str(events)!r})",
            f"open({str(tmp_path / 'new')!r}, 'w')",
            f"os.mkdir({str(tmp_path / 'new')!r})",
        )
        assert found == ["PermissionError"] * 5
        assert events.stat().st_size == size

    def test_it_starts_reaches_and_signals_nobody(self, monkeypatch: Any, server: Server) -> None:
        port = int(server.url.rpartition(":")[2])
        found = tried(
            monkeypatch,
            "subprocess.run(['/bin/true'])",
            f"socket.create_connection(('127.0.0.1', {port}))",
            f"os.kill({os.getpid()}, 0)",
        )
        assert found == ["PermissionError"] * 3
