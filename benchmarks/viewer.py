"""Opening a long transcript in the admin: the first page, later ones, and what the server's memory grows by.

python -m benchmarks.viewer [--megabytes 100]

Makes a transcript of that size (turns of a prompt, a call, its result of 4 kB and an answer; now and then a
result of 2 MB), stores it, and asks for pages as a browser does, in this process.
"""

import argparse
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.memory import transcript_lines
from benchmarks.table import print_table
from benchmarks.world import empty_server

ROUNDS = 5
FIRST_SECONDS, LATER_SECONDS, GROWTH_MB = 2.0, 1.0, 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    with empty_server():
        short, long = store(1_000_000, "short"), store(options.megabytes * 1_000_000, "long")
        client = signed_in()
        # What every page needs is loaded, and so are the templates.
        open_page(client, short, 1)
        before = forget_peak()
        first, page = timed(client, long, 1)
        pages = int(re.findall(r"of ([\d\u2009]+)</span>", page)[0].replace("\u2009", ""))
        later = {
            name: statistics.median(timed(client, long, number)[0] for _ in range(ROUNDS))
            for name, number in (("first", 1), ("middle", pages // 2), ("last", pages))
        }
        grown = peak_memory() - before
    rows = [
        ("pages", str(pages), ""),
        ("first opening, with the index made", f"{first:.2f} s", f"under {FIRST_SECONDS} s"),
        *((f"{name} page, then", f"{it:.2f} s", f"under {LATER_SECONDS} s") for name, it in later.items()),
        ("growth of the server's peak memory", f"{grown / 1e6:.0f} MB", f"under {GROWTH_MB} MB"),
    ]
    print_table(f"Reading a transcript of {options.megabytes} MB", rows)


def store(size: int, session_id: str) -> Any:
    from accounts.models import User
    from telemetry.intake.storing import store_transcript

    owner, _ = User.objects.get_or_create(email="bench@example.com")
    return store_transcript(owner, with_answers(transcript_lines(size, session_id))).transcript


def with_answers(turns: Iterator[bytes]) -> Iterator[bytes]:
    from telemetry.tests.builders import assistant_line, transcript_bytes

    for number, turn in enumerate(turns):
        yield turn
        yield transcript_bytes([assistant_line(f"Step **{number}** is done:\n\n- `one`\n- two")])


def signed_in() -> Any:
    from django.test import Client

    from accounts.models import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("admin@example.com", "a password of the benchmark"))
    return client


def timed(client: Any, transcript: Any, page: int) -> tuple[float, str]:
    started = time.perf_counter()
    text = open_page(client, transcript, page)
    return time.perf_counter() - started, text


def open_page(client: Any, transcript: Any, page: int) -> str:
    from django.urls import reverse

    answer = client.get(
        reverse("admin:telemetry_sessiontranscript_read", args=[transcript.session_file]), {"page": page}
    )
    if answer.status_code != 200:
        raise SystemExit(f"The page answers {answer.status_code}.")
    return str(answer.content.decode())


def forget_peak() -> int:
    """Bytes that this process has now, where its peak is measured from."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Bytes that this process had at most since then."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


if __name__ == "__main__":
    main()
