"""Exports of a large lake, against DuckDB's own COPY of the same rows from the same lake.

python -m benchmarks.export [FOLDER] [--events 2000000] [--rounds 3]

Makes a world in FOLDER and keeps it; in a temporary folder without one.

Each is measured as a process of its own, in turns, since what else the machine does slows all of them:
DuckDB's COPY into a file; `manage.py usage_export --out`; the API on loopback, read into a file.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import httpx

from agnes.tests.server import ROOT, descendants, free_port, wait_until
from benchmarks.big_world import big_world
from benchmarks.table import print_table

TARGETS = {"parquet": 1.3, "csv": 1.5, "json": 2.0}
COPY = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY true",
}
# Without events, so that it is published before an export and not left to the worker.
EMPTY_DAY = date(2020, 1, 1)
Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="agnes-bench-", dir=options.folder) as scratch:
        big_world(Path(options.folder or scratch, str(options.events)), options.events)
        out = Path(scratch, "out")
        with web_server() as server:
            server.publish_and_export(out)
            rows = [row for format in TARGETS for row in measure(format, options.rounds, server, out)]
            rows.append(("growth of the web process", f"{server.growth() / 1e6:.0f} MB", "under 150 MB"))
        rows.append(("peak of an exporting process", f"{server.peak / 1e6:.0f} MB", "under 512 MB"))
    print_table(f"Exports of {options.events:,} events (medians)", rows)


class Server:
    """`peak`: the most memory that a process had that exports for it, in bytes."""

    def __init__(self, pid: int, port: int, token: str) -> None:
        self.pid = pid
        self.url = f"http://127.0.0.1:{port}/api/admin/usage/export"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.peak = 0
        self._before = 0

    def export(self, format: str, out: Path) -> None:
        parameters = {"format": format}
        with (
            httpx.stream("GET", self.url, params=parameters, headers=self.headers, timeout=600) as answer,
            out.open("wb") as file,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_raw(1 << 20):
                file.write(chunk)

    def publish_and_export(self, out: Path) -> None:
        """The web process looks what is dirty, and publishes it where that is quick."""
        from telemetry.dirty_days import mark_dirty
        from telemetry.models import UsageDirtyDay

        mark_dirty([EMPTY_DAY])
        self.export("csv", out)
        out.unlink()
        if UsageDirtyDay.objects.exists():
            raise SystemExit("The web process did not publish what was dirty.")

    def warm_up(self) -> None:
        parameters = {"until": "2000-01-01"}
        httpx.get(self.url, params=parameters, headers=self.headers, timeout=60).raise_for_status()
        self._before = self._memory()

    def growth(self) -> int:
        return self._memory() - self._before

    def watch(self) -> None:
        """Notes the memory of what exports, for as long as this process lives."""
        while True:
            for pid, command in descendants(self.pid).items():
                if "export.child" in command:
                    self.peak = max(self.peak, memory(pid, "VmHWM:"))
            time.sleep(0.2)

    def _memory(self) -> int:
        """The most that a worker had so far."""
        return max(memory(pid, "VmHWM:") for pid in descendants(self.pid))


def measure(format: str, rounds: int, server: Server, out: Path) -> Iterator[Row]:
    doors: dict[str, Callable[[], None]] = {
        "COPY": lambda: copy(format, out),
        "command": lambda: command(format, out),
        "HTTP": lambda: server.export(format, out),
    }
    times: dict[str, list[float]] = {name: [] for name in doors}
    for _ in range(rounds):
        for name, export in doors.items():
            started = time.perf_counter()
            export()
            times[name].append(time.perf_counter() - started)
            size = out.stat().st_size
            out.unlink()
            # What was written goes to the disk before the next begins.
            os.sync()
    yield f"{format}: DuckDB's COPY", f"{statistics.median(times['COPY']):.2f} s, {size / 1e6:.0f} MB", ""
    for name in ("command", "HTTP"):
        ratio = statistics.median(one / other for one, other in zip(times[name], times["COPY"], strict=True))
        yield f"{format}: {name} / COPY", f"{ratio:.2f}", f"at most {TARGETS[format]}"


def copy(format: str, out: Path) -> None:
    run("-c", COPY_PROGRAM, str(out), COPY[format], *event_files())


COPY_PROGRAM = """
import sys, duckdb
duckdb.execute("SET enable_progress_bar = false")
out, options, *files = sys.argv[1:]
duckdb.execute("SET TimeZone = 'UTC'")
rows = duckdb.read_parquet(files, hive_partitioning=False)
duckdb.execute(f"COPY (FROM rows) TO '{out}' ({options})")
"""


def event_files() -> list[str]:
    from telemetry.lake.files import files_of
    from telemetry.lake.reading import current_snapshot

    [table] = current_snapshot().only("usage_events").tables
    return [str(Path(table.url, file.path)) for file in files_of(table, {})]


def command(format: str, out: Path) -> None:
    run("manage.py", "usage_export", "--format", format, "--out", str(out), "--verbosity", "0")


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)


@contextmanager
def web_server() -> Iterator[Server]:
    """As `manage.py start` runs it."""
    from accounts import tokens
    from accounts.models import Scope, User

    alice = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser(
        "alice@bench.example"
    )
    _, token = tokens.issue(alice, name="benchmark", scopes=[Scope.ADMIN])
    port = free_port()
    gunicorn = [
        "gunicorn",
        "agnes.wsgi",
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", *gunicorn, "--bind", f"127.0.0.1:{port}", "--no-control-socket"], cwd=ROOT
    )
    try:
        wait_until(lambda: answers(port), 30)
        server = Server(process.pid, port, token)
        server.warm_up()
        threading.Thread(target=server.watch, daemon=True).start()
        yield server
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> bool:
    try:
        with closing(httpx.get(f"http://127.0.0.1:{port}/api/openapi.json")) as answer:
            return answer.status_code == 200
    except httpx.TransportError:
        return False


def memory(pid: int, what: str) -> int:
    """In bytes; 0 where the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status[status.index(what) + 1]) * 1024 if what in status else 0


if __name__ == "__main__":
    main()
