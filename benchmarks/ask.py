"""What the server adds to a question in plain language, and what two of them cost an upload.

python -m benchmarks.ask [FOLDER] [--events 10000000] [--rounds 5]

Makes a world in FOLDER and keeps it; in a temporary folder without one. The provider is a local server that
answers at once with the SQL of a typical question, so that all else is what the server itself takes.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.big_world import big_world
from benchmarks.export import web_server
from benchmarks.table import print_table
from benchmarks.upload import transcript

SQL = (
    "SELECT tool_name, count(*) AS invocations, count(DISTINCT user_id) AS people FROM usage_events "
    "GROUP BY tool_name ORDER BY invocations DESC LIMIT 10"
)
# It takes both cores for as long as it may.
HEAVY = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
UPLOADS = 20
UPLOAD_BYTES = 1_000_000
EMPTY = "import duckdb; duckdb.connect(':memory:')"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as scratch:
        big_world(Path(options.folder or scratch, str(options.events)), options.events)
        measure_questions(options.events, options.rounds)
        measure_uploads()


def measure_questions(events: int, rounds: int) -> None:
    own, engine, worker, empty = [], [], [], []
    with a_provider():
        ask_once()
        for _ in range(rounds):
            own.append(ask_once())
            engine.append(engine_alone())
            worker.append(milliseconds_of("SELECT 1"))
            empty.append(empty_process())
    added = statistics.median(one - other for one, other in zip(own, engine, strict=True))
    print_table(
        f"A question over {events:,} events (medians)",
        [
            ("the query in DuckDB, in process, two threads", f"{statistics.median(engine):.0f} ms", ""),
            ("all but the model's call", f"{statistics.median(own):.0f} ms", ""),
            ("added by the server", f"{added:.0f} ms", "at most 600 ms, aim 300"),
            ("SELECT 1 in a process of its own", f"{statistics.median(worker):.0f} ms", ""),
            ("an empty process that imports DuckDB", f"{statistics.median(empty):.0f} ms", ""),
        ],
    )


def ask_once() -> float:
    """Milliseconds, without those of the model."""
    from telemetry.ask.asking import ask

    asked = ask("Which tools are used most?", actor=None)
    return asked.total_ms - asked.model_ms


def engine_alone() -> float:
    """Milliseconds of the query itself, on a connection that is there."""
    from telemetry.lake.reading import open_lake

    with open_lake("usage_events", memory_limit="512MB", threads=2) as lake:
        started = time.perf_counter()
        lake.execute(SQL).fetchall()
        return (time.perf_counter() - started) * 1000


def milliseconds_of(sql: str) -> float:
    from telemetry.ask.running import run_statement

    started = time.perf_counter()
    run_statement(sql)
    return (time.perf_counter() - started) * 1000


def empty_process() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", EMPTY], check=True)
    return (time.perf_counter() - started) * 1000


@contextmanager
def a_provider() -> Iterator[None]:
    from django.test import override_settings

    from telemetry.tests.ask.messages_api import Say, messages_api

    with (
        messages_api(Say(SQL)) as server,
        override_settings(ANTHROPIC_API_KEY="none", ANTHROPIC_BASE_URL=server.url),
    ):
        yield


def measure_uploads() -> None:
    """The same uploads, in turns without and with two questions that take all they can get."""
    alone, beside = [], []
    with web_server() as server:
        url, headers = uploading(server.url)
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            upload(client, 0)
            for number in range(1, UPLOADS + 1):
                alone.append(upload(client, number))
            with two_questions():
                for number in range(UPLOADS + 1, 2 * UPLOADS + 1):
                    beside.append(upload(client, number))
    slower = statistics.median(beside) / statistics.median(alone)
    print_table(
        f"Uploads of {UPLOAD_BYTES / 1e6:.0f} MB, one after the other (medians of {UPLOADS})",
        [
            ("alone", f"{statistics.median(alone):.0f} ms", ""),
            ("beside two heavy questions", f"{statistics.median(beside):.0f} ms", ""),
            ("ratio", f"{slower:.2f}", "at most 1.33"),
        ],
    )


def uploading(url: str) -> tuple[str, dict[str, str]]:
    from accounts import tokens
    from accounts.models import Scope, User

    _, token = tokens.issue(User.objects.earliest("pk"), name="benchmark", scopes=[Scope.UPLOAD])
    return url.partition("/api/")[0], {"Authorization": f"Bearer {token}"}


def upload(client: httpx.Client, number: int) -> float:
    """Milliseconds."""
    # Of another run's numbers, so that each is new.
    body = transcript(time.time_ns() + number, UPLOAD_BYTES)
    started = time.perf_counter()
    client.post("/api/upload/sessions", content=body).raise_for_status()
    return (time.perf_counter() - started) * 1000


@contextmanager
def two_questions() -> Iterator[None]:
    """For as long as the block lasts, one after the other in two threads."""
    done = threading.Event()
    threads = [threading.Thread(target=ask_until, args=(done,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    # Their processes are under way.
    time.sleep(1)
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def ask_until(done: threading.Event) -> None:
    from telemetry.ask.errors import QueryTooHeavy

    while not done.is_set():
        try:
            milliseconds_of(HEAVY)
        except QueryTooHeavy:
            continue


if __name__ == "__main__":
    main()
