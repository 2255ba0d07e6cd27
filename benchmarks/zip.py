"""All transcripts of a person as a zip from the real web server, against `zip -1` on the same raw files.

python -m benchmarks.zip [FOLDER] [--megabytes 2000] [--file-megabytes 2] [--rounds 3]

Without a folder the world is made in a temporary one. Needs the command `zip`.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from benchmarks.big_world import set_up
from benchmarks.export import Server, web_server
from benchmarks.memory import transcript_lines
from benchmarks.table import print_table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--file-megabytes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="agnes-bench-", dir=options.folder) as scratch:
        raw, out = Path(scratch, "raw"), Path(scratch, "out.zip")
        set_up(Path(scratch, "data"))
        person = make_world(raw, options.megabytes // options.file_megabytes, options.file_megabytes)
        times: dict[str, list[float]] = {"zip -1": [], "HTTP": []}
        with web_server() as server:
            for _ in range(options.rounds):
                times["zip -1"].append(timed(lambda: zip_folder(raw, out), out))
                times["HTTP"].append(timed(lambda: download(server, person, out), out))
            growth = server.growth()
    ratio = statistics.median(one / other for one, other in zip(times["HTTP"], times["zip -1"], strict=True))
    print_table(
        f"A zip of {options.megabytes} MB of transcripts (medians)",
        [
            ("zip -1", f"{statistics.median(times['zip -1']):.2f} s", ""),
            ("HTTP", f"{statistics.median(times['HTTP']):.2f} s", ""),
            ("HTTP / zip -1", f"{ratio:.2f}", "at most 1.5"),
            ("growth of the web process", f"{growth / 1e6:.0f} MB", "under 150 MB"),
        ],
    )


def make_world(raw: Path, files: int, megabytes: int) -> int:
    """The same files below `raw` and in the storage, of one person, whose id it returns."""
    from django.core.files.base import File

    from accounts.models import User
    from telemetry.intake.storing import store_transcript

    owner = User.objects.create_user("ann@bench.example")
    raw.mkdir()
    for number in range(files):
        path = raw / f"s{number}.jsonl"
        with path.open("wb") as file:
            for lines in transcript_lines(megabytes * 1_000_000, f"s{number}"):
                file.write(varied(lines))
        with path.open("rb") as file:
            store_transcript(owner, File(file).chunks(1 << 18))
    return int(owner.pk)


def varied(lines: bytes) -> bytes:
    """What tools answer is no row of one letter: some of it is digits by chance, so that it shrinks to about
    a fifth, as transcripts do."""
    return lines.replace(b"x" * 4000, os.urandom(300).hex().encode() + b"some words of an answer " * 141)


def zip_folder(raw: Path, out: Path) -> None:
    subprocess.run(["zip", "-1", "-q", "-r", str(out), "."], cwd=raw, check=True)


def download(server: Server, person: int, out: Path) -> None:
    url = server.url.replace("/usage/export", f"/users/{person}/sessions/download-all")
    with (
        httpx.stream("GET", url, headers=server.headers, timeout=600) as answer,
        out.open("wb") as file,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_raw(1 << 20):
            file.write(chunk)


def timed(make: Callable[[], None], out: Path) -> float:
    started = time.perf_counter()
    make()
    seconds = time.perf_counter() - started
    out.unlink()
    # What was written goes to the disk before the next begins.
    os.sync()
    return seconds


if __name__ == "__main__":
    main()
