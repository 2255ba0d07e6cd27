"""What the client costs on the machine of somebody with many sessions.

python -m benchmarks.client [--transcripts 10000]

Each figure is the best of five: a push in a process of its own, that finds everything sent before; and how
fast credentials are looked for.
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

from agnes.cli import transcripts
from agnes.cli.push.ledger import Entry, State, open_ledger
from agnes.cli.redaction.redacting import redact
from agnes.tests.cli.machines import Machine
from benchmarks.memory import transcript_lines
from benchmarks.table import print_table

RUNS = 5
WORKSPACES = 20
# Nothing listens there, and nothing asks.
SERVER = "http://127.0.0.1:9"
REDACTED_BYTES = 20_000_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transcripts", type=int, default=10_000)
    count = parser.parse_args().transcripts
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        machine = Machine(Path(folder) / "home")
        nothing = best(machine, "push", "--quiet")
        fill(machine, count)
        everywhere = best(machine, "push", "--all", "--quiet")
        here = best(machine, "push", "--quiet", folder="w3")
    print_table(
        "Client",
        [
            ("push with nothing to do", f"{nothing:.2f} s", "under 0.4 s"),
            (f"push --all, {count} transcripts known", f"{everywhere:.2f} s", "under 1 s"),
            (f"push of one of {WORKSPACES} workspaces", f"{here:.2f} s", "under 1 s"),
            ("looking for credentials", f"{redaction():.1f} MB/s", ""),
        ],
    )


def fill(machine: Machine, count: int) -> None:
    for number in range(count):
        workspace = machine.home / f"w{number % WORKSPACES}"
        workspace.mkdir(exist_ok=True)
        session = f"0f8fad5b-d9cb-469f-a165-{number:012}"
        lines = [{**line, "cwd": str(workspace)} for line in machine.session(session)]
        machine.write(session, lines, workspace=workspace)
    with patch.dict(os.environ, machine.environment), open_ledger(f"{SERVER}#7") as ledger:
        for each in transcripts.find():
            ledger.write(
                each.path, Entry(each.size, each.mtime_ns, State.SENT, each.session, sha256="x" * 64)
            )


def best(machine: Machine, *arguments: str, folder: str = "work") -> float:
    machine.log_in(SERVER, f"agnes_{'a' * 12}_{'b' * 40}", user_id=7, email="bob@example.com")
    return min(timed(machine, *arguments, folder=folder) for _ in range(RUNS))


def timed(machine: Machine, *arguments: str, folder: str) -> float:
    began = perf_counter()
    process = machine.start(*arguments, cwd=machine.home / folder)
    process.communicate()
    assert process.returncode == 0
    return perf_counter() - began


def redaction() -> float:
    """Millions of bytes a second."""
    lines = list(transcript_lines(REDACTED_BYTES, "bench"))
    began = perf_counter()
    for line in lines:
        redact(line)
    return sum(map(len, lines)) / 1e6 / (perf_counter() - began)


if __name__ == "__main__":
    main()
