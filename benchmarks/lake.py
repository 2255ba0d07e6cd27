"""Publishing one day against a full rebuild, and a question over all events through the readers' door.

python -m benchmarks.lake [FOLDER] [--events 10000000]

Makes two worlds in FOLDER, one with a tenth of the events, and keeps them; in a temporary folder without one.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from benchmarks.big_world import EVENTS_A_DAY, big_world, days_of_world
from benchmarks.table import print_table

ROUNDS = 3
QUESTION = (
    "SELECT tool_name, count(DISTINCT user_id) AS people FROM usage_events GROUP BY ALL ORDER BY people"
)
BIG_QUESTION = "SELECT count(DISTINCT session_id) FROM usage_events"
Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--measure", choices=MEASURES, help="one world, in this process: prints JSON")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASURES[options.measure](options.folder, options.events)))
    elif options.folder:
        compare(options.folder, options.events)
    else:
        with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
            compare(Path(folder), options.events)


def compare(folder: Path, events: int) -> None:
    fewer = max(events // 10, 2 * EVENTS_A_DAY)
    in_turns = [
        [measure_apart("old-day", folder / str(number), number)["oldest"] for number in (fewer, events)]
        for _ in range(ROUNDS)
    ]
    big = measure_apart("all", folder / str(events), events)
    print_table(
        f"Publishing a day of {EVENTS_A_DAY} events into {events} (medians)",
        [
            ("today, with the windows", f"{big['newest']:.2f} s", ""),
            ("a day that no window reaches", f"{big['oldest']:.2f} s", ""),
            ("full rebuild", f"{big['full']:.2f} s", ""),
            ("today / full rebuild", f"{big['newest'] / big['full']:.2%}", "under 3 % at 10 million"),
            ("that day / full rebuild", f"{big['oldest'] / big['full']:.2%}", "under 3 % at 10 million"),
            (
                f"that day / the same day among {fewer} events",
                f"{statistics.median(many / few for few, many in in_turns):.2f}",
                "about 1",
            ),
        ],
    )
    print_table(
        f"Questions over {events} events through the door, two threads (medians)",
        [
            ("distinct people by tool", f"{big['people']:.2f} s", "under 1 s at 10 million"),
            ("distinct sessions", f"{big['sessions']:.2f} s", "under 1 s at 10 million"),
        ],
    )


def measure_apart(what: str, folder: Path, events: int) -> Figures:
    """In a process of its own, since Django knows one database."""
    command = [sys.executable, "-m", "benchmarks.lake", str(folder), "--events", str(events)]
    done = subprocess.run([*command, "--measure", what], check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure_old_day(folder: Path, events: int) -> Figures:
    """Seconds to publish a day that no window reaches."""
    big_world(folder, events)
    oldest = days_of_world(events)[-1]
    # The first publish of a process opens and imports; an old lake is vacuumed by it, too.
    publish_day(oldest)
    return {"oldest": median_of(lambda: publish_day(oldest))}


def measure_all(folder: Path, events: int) -> Figures:
    """Seconds for each piece of work."""
    old_day = measure_old_day(folder, events)
    from telemetry.publishing import rebuild_all

    newest = days_of_world(events)[0]
    return {
        **old_day,
        "newest": median_of(lambda: publish_day(newest)),
        "full": seconds_of(rebuild_all),
        "people": median_of(lambda: ask(QUESTION)),
        "sessions": median_of(lambda: ask(BIG_QUESTION)),
    }


MEASURES = {"old-day": measure_old_day, "all": measure_all}


def publish_day(day: date) -> None:
    from telemetry.dirty_days import mark_dirty
    from telemetry.publishing import publish

    mark_dirty([day])
    publish()


def ask(question: str) -> None:
    """With all that a reader waits for: the snapshot, the connection, the views."""
    from telemetry.lake.reading import open_lake

    with open_lake("usage_events", memory_limit="1GB", threads=2) as lake:
        lake.execute(question).fetchall()


def median_of(work: Callable[[], object]) -> float:
    return statistics.median(seconds_of(work) for _ in range(ROUNDS))


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
