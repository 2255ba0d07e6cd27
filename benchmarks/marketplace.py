"""The marketplace's page and API with many events behind the items, against 1 000 events.

python -m benchmarks.marketplace FOLDER [--events 10000000] [--items 1000]

Both worlds have the same items, their events spread over fifty days. FOLDER keeps them for the next run.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.big_world import big_world
from benchmarks.table import print_table

FEW_EVENTS = 1_000
DAYS = 50
SKILLS, AGENTS = 8, 2
ADDRESSES = (
    "/marketplace/",
    "/marketplace/?q=skill&kind=agent&sort=trending",
    "/api/marketplace/items",
    "/api/marketplace/items?q=skill&kind=agent&sort=trending&limit=200",
    "/api/marketplace/items/curated/market/plugin-0",
)
# Each world is looked at by turns, since other things happen on a machine, too.
TURNS, RUNS = 3, 15
Measured = dict[str, tuple[float, int]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.folder, options.events, options.items)))
    else:
        compare(options.folder, options.events, options.items)


def compare(folder: Path, events: int, items: int) -> None:
    few: Measured = {}
    many: Measured = {}
    for _ in range(TURNS):
        for number, best in ((FEW_EVENTS, few), (events, many)):
            for address, figures in in_a_process(folder / str(number), number, items).items():
                best[address] = min(tuple(figures), best.get(address, (1e9, 0)))
    rows = []
    for address in ADDRESSES:
        (fast, _), (seconds, queries) = few[address], many[address]
        target = "at most 1.3 times, 8 queries" if "curated" not in address else ""
        figure = f"{1e3 * seconds:.1f} ms, {seconds / fast:.2f} times, {queries} queries"
        rows.append((address, figure, target))
    print_table(f"{items} items, {events} events against {FEW_EVENTS}", rows)


def in_a_process(folder: Path, events: int, items: int) -> dict[str, Any]:
    """Django is set up once a process."""
    options = [str(folder), "--events", str(events), "--items", str(items), "--measure"]
    command = [sys.executable, "-m", "benchmarks.marketplace", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(folder: Path, events: int, items: int) -> Measured:
    """Seconds and queries by address."""
    refs = [("curated", f"market/plugin-{number}") for number in range(items)]
    big_world(folder, events, a_day=-(-events // DAYS), items=refs)
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    make_catalogue(items)
    client = Client()
    client.force_login(User.objects.order_by("pk")[0])
    return {address: look(client, address) for address in ADDRESSES}


def make_catalogue(items: int) -> None:
    from marketplace.models import Marketplace
    from marketplace.tests.planting import plant_plugin

    market, is_new = Marketplace.objects.get_or_create(slug="market", defaults={"url": "file:///nowhere"})
    for number in range(items if is_new else 0):
        plant_plugin(
            market,
            f"plugin-{number}",
            description="What it does, in a sentence or two. " * 5,
            category=f"category {number % 20}",
            skill=[f"skill-{each}" for each in range(SKILLS)],
            agent=[f"agent-{each}" for each in range(AGENTS)],
        )


def look(client: Any, address: str) -> tuple[float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
        taken = len(queries)
    assert answer.status_code == 200, (address, answer.status_code)
    best = 1e9
    for _ in range(RUNS):
        began = perf_counter()
        client.get(address)
        best = min(best, perf_counter() - began)
    return best, taken


if __name__ == "__main__":
    main()
