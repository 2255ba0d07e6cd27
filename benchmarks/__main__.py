"""The benchmarks that need no arguments, on a corpus of Agnes' own: `make bench`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.memory import transcript_lines

PEOPLE = 12
SESSIONS = 20
SESSION_BYTES = 500_000


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        corpus = Path(folder)
        for person in range(PEOPLE):
            (corpus / f"person{person:02d}").mkdir()
            for session in range(SESSIONS):
                write_session(corpus / f"person{person:02d}" / f"session{session:02d}.jsonl")
        big = ["--events", "2000000"]
        for command in (
            ["ingest", str(corpus)], ["memory"], ["upload"], ["lake", *big], ["export", *big],
        ):  # fmt: skip
            subprocess.run([sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]], check=True)


def write_session(path: Path) -> None:
    session_id = f"{path.parent.name}-{path.stem}"
    with path.open("wb") as file:
        for line in transcript_lines(SESSION_BYTES, session_id):
            file.write(line)


if __name__ == "__main__":
    main()
