"""The first sync of a large marketplace against a shallow clone of the same local repository.

python -m benchmarks.marketplace_sync [--plugins 269] [--files 15000]

Then a sync of the same commit, and one after a single plugin changed.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from benchmarks.table import print_table
from benchmarks.world import empty_server

RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plugins", type=int, default=269)
    parser.add_argument("--files", type=int, default=15_000)
    options = parser.parse_args()
    with empty_server(), tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        from marketplace.tests.repositories import Repository

        repository = Repository(Path(folder) / "market")
        repository.commit(content(options.plugins, options.files))
        clone = min(clone_seconds(repository.url, Path(folder) / f"clone{run}") for run in range(RUNS))
        bare = min(
            clone_seconds(repository.url, Path(folder) / f"bare{run}", "--bare") for run in range(RUNS)
        )
        first = command_seconds("marketplace_add", repository.url)
        same = command_seconds("marketplace_sync")
        repository.commit(content(options.plugins, options.files, changed=True))
        changed = command_seconds("marketplace_sync")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print_table(
            f"{options.plugins} plugins, {options.files} files",
            [
                ("git clone --depth 1", f"{clone:.2f} s", ""),
                ("first sync", f"{first:.2f} s, {first / clone:.1f} times", ""),
                (
                    "parse and store: without a bare clone",
                    f"{first - bare:.2f} s, {(first - bare) / clone:.1f} times",
                    "at most 2 times",
                ),
                ("same commit", f"{same:.2f} s", ""),
                ("one plugin changed", f"{changed:.2f} s", ""),
                ("peak memory of a process", f"{peak / 1e6:.0f} MB", "under 200 MB"),
            ],
        )


def content(plugins: int, files: int, *, changed: bool = False) -> dict[str, str]:
    """Each plugin has the same number of skills, commands and other files."""
    from marketplace.tests.repositories import entry, marketplace, plugin

    made = marketplace(*(entry(f"plugin-{number}") for number in range(plugins)))
    for number in range(plugins):
        name = f"plugin-{number}"
        made |= plugin(
            name,
            skills={f"skill-{n}": f"named-{number}-{n}" for n in range(12)},
            commands=[f"command-{n}" for n in range(6)],
            agents=[f"agent-{n}" for n in range(3)],
            more={"README.md": f"# {name}\n\n" + "All that it does. " * 200},
        )
    for number in range(max(0, files - len(made))):
        made[f"plugin-{number % plugins}/scripts/file-{number}.py"] = f"# {number}\n" + "print(1)\n" * 200
    if changed:
        made["plugin-0/scripts/more.py"] = "print(2)\n"
    return made


def clone_seconds(url: str, folder: Path, *options: str) -> float:
    began = monotonic()
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", *options, url, str(folder)], check=True)
    return monotonic() - began


def command_seconds(*args: str) -> float:
    """As the command says: without the start of Python."""
    command = [sys.executable, "manage.py", *args]
    printed = subprocess.run(command, env=dict(os.environ), check=True, capture_output=True, text=True).stdout
    found = re.search(r"([\d.]+) s$", printed, re.MULTILINE)
    assert found, printed
    return float(found[1])


if __name__ == "__main__":
    main()
