"""Uploads by many clients at once, against the real server with the task worker running.

    python -m benchmarks.upload [--uploads 200] [--clients 16] [--bytes 1000000]

Starts `manage.py start` with a data folder of its own (and SQLite, unless DATABASE_URL names an empty
database), uploads, waits until everything is processed, and fails where anything is lost, counted twice or
answered with an error. The figure is the ratio to writing and syncing the same bytes to the same disk.
"""

import argparse
import hashlib
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import httpx
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
OWNER = "bench@example.com"
PATIENCE_SECONDS = 120
TOOL_CALLS = 60


@dataclass(frozen=True)
class Measured:
    """One way of writing the files: how long it all took, and each of them."""

    seconds: float
    each: list[float]

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.each, n=20)[-1]


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        _configure(Path(folder))
        files = [transcript(number, options.bytes) for number in range(options.uploads)]
        with _server(Path(folder)) as url:
            token = _token()
            written = _write_to_disk(files, Path(folder) / "plain", options.clients)
            uploaded, statuses = _upload(files, url, token, options.clients)
            seconds = _wait_until_processed()
            problems = list(_problems(files, statuses))
    _print_table(files, options.clients, written, uploaded, seconds)
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(1)
    print(f"{len(files)} uploads: none lost, none twice, no error.")


def transcript(number: int, size: int) -> bytes:
    """About as many bytes, with TOOL_CALLS calls, and as compressible as real ones (about 5 to 1)."""
    from telemetry.tests.builders import (
        assistant_line,
        moment,
        tool_result,
        tool_use,
        transcript_bytes,
        user_line,
    )

    words = random.Random(number)
    lines = []
    for call in range(TOOL_CALLS):
        identity, at = f"toolu_{number}_{call}", moment(call)
        output = " ".join(f"{words.getrandbits(16):x} the result of" for _ in range(size // TOOL_CALLS // 20))
        common: dict[str, Any] = {"sessionId": f"session-{number}", "timestamp": at}
        lines.append(assistant_line(tool_use("Bash", identity), uuid=f"{number}-{call}-a", **common))
        lines.append(user_line(tool_result(identity, output), uuid=f"{number}-{call}-u", **common))
    return transcript_bytes(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    return parser.parse_args()


def _configure(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {
        "AGNES_DATA_DIR": str(folder),
        "AGNES_BIND": f"127.0.0.1:{port}",
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "agnes.settings",
        "LOG_LEVEL": "WARNING",
        "SEED_ADMIN_EMAIL": OWNER,
    }
    django.setup()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The web server and the worker, as people start them."""
    log = (folder / "server.log").open("w+")
    command = [sys.executable, "manage.py", "start"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://{os.environ['AGNES_BIND']}"
    try:
        _wait_for(lambda: _answers(url), lambda: process.poll() is None, log_path=folder / "server.log")
        yield url
    finally:
        process.terminate()
        process.wait()
        log.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/openapi.json", timeout=5).is_success
    except httpx.TransportError:
        return False


def _wait_for(ready: Callable[[], bool], alive: Callable[[], bool], *, log_path: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if not alive() or time.monotonic() > end:
            raise SystemExit(f"The server did not start:\n{log_path.read_text()}")
        time.sleep(0.1)


def _token() -> str:
    from accounts import tokens
    from accounts.models import Scope, User

    owner = User.objects.get(email=OWNER)
    return tokens.issue(owner, name="benchmark", scopes=[Scope.UPLOAD])[1]


def _write_to_disk(files: Sequence[bytes], folder: Path, clients: int) -> Measured:
    folder.mkdir()

    def write(number: int) -> float:
        started = time.monotonic()
        with (folder / str(number)).open("wb") as file:
            file.write(files[number])
            file.flush()
            os.fsync(file.fileno())
        return time.monotonic() - started

    started = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(write, range(len(files))))
    return Measured(time.monotonic() - started, each)


def _upload(files: Sequence[bytes], url: str, token: str, clients: int) -> tuple[Measured, Counter[str]]:
    client = httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=clients),
    )

    def upload(raw: bytes) -> tuple[float, str]:
        started = time.monotonic()
        response = client.post("/api/upload/sessions", content=raw)
        status = response.json()["status"] if response.is_success else response.text
        return time.monotonic() - started, f"{response.status_code} {status}"

    started = time.monotonic()
    with client, ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(upload, files))
    measured = Measured(time.monotonic() - started, [seconds for seconds, _ in answers])
    return measured, Counter(status for _, status in answers)


def _wait_until_processed() -> float:
    from telemetry.models import SessionTranscript

    started = time.monotonic()
    while SessionTranscript.objects.pending("usage").exists():
        if time.monotonic() - started > PATIENCE_SECONDS:
            break
        time.sleep(0.2)
    return time.monotonic() - started


def _problems(files: Sequence[bytes], statuses: Counter[str]) -> Iterator[str]:
    from django.core.files.storage import default_storage

    from accounts.models import AuditLog
    from telemetry.models import SessionTranscript, SessionTranscriptPart, UsageEvent

    if statuses != {"201 new": len(files)}:
        yield f"Answers: {dict(statuses)}"
    sent = sorted(hashlib.sha256(raw).hexdigest() for raw in files)
    parts = SessionTranscriptPart.objects.select_related("transcript")
    if sorted(part.sha256 for part in parts) != sent:
        yield f"{parts.count()} parts are stored of {len(files)} uploads, or others than were sent."
    missing = [part for part in parts if not default_storage.exists(part.storage_key)]
    if missing:
        yield f"{len(missing)} files are missing."
    counts = {
        "transcripts in revision 1": (SessionTranscript.objects.filter(revision=1).count(), len(files)),
        "audit rows": (AuditLog.objects.filter(action="session.upload").count(), len(files)),
        "events": (UsageEvent.objects.count(), len(files) * TOOL_CALLS),
    }
    for name, (found, expected) in counts.items():
        if found != expected:
            yield f"{found} {name} instead of {expected}."


def _print_table(
    files: Sequence[bytes], clients: int, written: Measured, uploaded: Measured, processed: float
) -> None:
    megabytes = sum(map(len, files)) / 1e6
    table = Table(title=f"{len(files)} uploads, {megabytes:.0f} MB, {clients} clients at once")
    for column in ("", "seconds", "MB/s", "median s", "p95 s"):
        table.add_column(column, justify="right" if column else "left")
    for name, measured in (("write and fsync", written), ("upload", uploaded)):
        table.add_row(
            name,
            f"{measured.seconds:.2f}",
            f"{megabytes / measured.seconds:.1f}",
            f"{statistics.median(measured.each):.3f}",
            f"{measured.p95:.3f}",
        )
    table.add_row("processed after the last", f"{processed:.2f}")
    Console().print(table)
    print(f"upload / write and fsync: {written.seconds / uploaded.seconds:.2f}")


if __name__ == "__main__":
    main()
