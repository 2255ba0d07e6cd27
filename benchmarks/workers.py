"""Two worker processes against one, on PostgreSQL.

python -m benchmarks.workers CORPUS --database-url postgres://…/an_empty_database [--rounds 3]

CORPUS holds one folder a person. The database must be empty; it is filled and left.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import print_table
from benchmarks.world import empty_server, forget_results, store_corpus

CHILD = """
import django; django.setup()
from telemetry.processors.runner import run
print("ready", flush=True)
input()
run("usage")
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with empty_server(options.database_url):
        stored = store_corpus(options.corpus)
        print(f"{stored} transcripts stored")
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for processes, taken in seconds.items():
                forget_results()
                taken.append(process_with(processes))
                check_nothing_is_left(stored)
        one, two = (statistics.median(seconds[processes]) for processes in (1, 2))
        print_table(
            "Processing on PostgreSQL (medians)",
            [
                ("one process", f"{one:.2f} s", ""),
                ("two processes", f"{two:.2f} s", ""),
                ("speed of two / one", f"{one / two:.2f}", "at least 1.6"),
            ],
        )


def process_with(processes: int) -> float:
    """Seconds that so many workers need, their start-up left out."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD], env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    started = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.close()
    for worker in workers:
        if worker.wait():
            raise SystemExit("a worker failed")
    return time.perf_counter() - started


def check_nothing_is_left(stored: int) -> None:
    from telemetry.models import SessionProcessorState

    done = SessionProcessorState.objects.filter(processor_name="usage", processed_at__isnull=False).count()
    if done != stored:
        raise SystemExit(f"{done} of {stored} transcripts are done")


if __name__ == "__main__":
    main()
