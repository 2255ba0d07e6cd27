"""Peak memory of the process that ingests one large transcript, and of the one that publishes it.

python -m benchmarks.memory [--megabytes 1000]

Makes a transcript of that size (small lines, and now and then a tool result of 2 MB), uploads it, ingests it
in a process of its own, and publishes it with `manage.py process_sessions`. A process that does both needs
about as much as both together, less what the two share.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import print_table
from benchmarks.world import empty_server

INGEST = """
import django
django.setup()
from telemetry.processors.runner import run
run("usage", wait=True)
"""
LARGE_RESULT = 2_000_000
TURNS_PER_LARGE_RESULT = 2000
RESULT = 4000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    options = parser.parse_args()
    with empty_server() as folder, tempfile.NamedTemporaryFile(dir=folder, suffix=".jsonl") as file:
        for line in transcript_lines(options.megabytes * 1_000_000):
            file.write(line)
        file.flush()
        store(Path(file.name))
        small = folder / "small.jsonl"
        # With a second transcript of the same person the two are compared.
        small.write_bytes(b"".join(transcript_lines(50_000, "small")))
        store(small)
        ingesting = peak_of("-c", INGEST)
        publishing = peak_of("manage.py", "process_sessions")
        from telemetry.models import UsageSessionSummary

        summary = UsageSessionSummary.objects.get(session_id="long")
        print_table(
            f"Ingesting one transcript of {options.megabytes} MB",
            [
                ("lines, events", f"{summary.lines}, {summary.events}", ""),
                ("peak memory of ingesting it", f"{ingesting / 1e6:.0f} MB", "under 200 MB"),
                ("peak memory of publishing it", f"{publishing / 1e6:.0f} MB", ""),
            ],
        )


def transcript_lines(size: int, session_id: str = "long") -> Iterator[bytes]:
    """Turns of a prompt, a call and its result, until there are `size` bytes.

    Files under 8 MB have small lines only.
    """
    from telemetry.tests.builders import (
        assistant_line,
        moment,
        tool_result,
        tool_use,
        transcript_bytes,
        user_line,
    )

    written = turn = 0
    while written < size:
        length = LARGE_RESULT if turn % TURNS_PER_LARGE_RESULT == TURNS_PER_LARGE_RESULT - 1 else RESULT
        call = tool_use("Bash", command="make test")
        lines = [
            user_line("go on", timestamp=moment(turn)),
            assistant_line([call], timestamp=moment(turn + 0.1), usage={"output_tokens": 2000 + turn}),
            user_line(tool_result(call["id"], "x" * length), timestamp=moment(turn + 0.2)),
        ]
        content = transcript_bytes(line | {"sessionId": session_id} for line in lines)
        yield content
        written += len(content)
        turn += 1


def store(path: Path) -> None:
    from accounts.models import User
    from telemetry.intake.storing import store_transcript

    owner, _ = User.objects.get_or_create(email="bench@example.com")
    with path.open("rb") as file:
        store_transcript(owner, iter(lambda: file.read(1 << 18), b""))


def peak_of(*arguments: str) -> int:
    """Bytes that a Python process of its own took at most."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *arguments])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed.")
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
