"""The admin's front page with the roll-ups of many events, against those of few.

python -m benchmarks.admin_front FOLDER [--plugins 1000]

The roll-ups of 10 million events over 180 days are planted as rows: 300 people, and 1 000 plugins with 8
skills each. FOLDER keeps both worlds for the next run.
"""

import argparse
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from benchmarks.big_world import TOOLS, make_people, set_up
from benchmarks.marketplace import look
from benchmarks.table import print_table

DAYS = 180
SKILLS = 8
# Plugins with a use on each day.
FEW = 2
ADDRESSES = tuple(f"/admin/?days={days}" for days in (7, 30, 90))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plugins", type=int, default=1_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.folder, options.plugins)))
        return
    few, many = (in_a_process(options.folder / str(it), it) for it in (FEW, options.plugins))
    rows = []
    for address in ADDRESSES:
        (fast, _), (seconds, queries) = few[address], many[address]
        figure = f"{1e3 * seconds:.1f} ms, {seconds / fast:.2f} times, {queries} queries"
        rows.append((address, figure, "under 12 queries"))
    print_table(f"the admin's front page, {options.plugins} plugins against {FEW}", rows)


def in_a_process(folder: Path, plugins: int) -> dict[str, tuple[float, int]]:
    """Django is set up once a process."""
    options = [str(folder), "--plugins", str(plugins), "--measure"]
    command = [sys.executable, "-m", "benchmarks.admin_front", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(folder: Path, plugins: int) -> dict[str, tuple[float, int]]:
    """Seconds and queries by address."""
    set_up(folder)
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    make_people()
    plant(plugins)
    User.objects.filter(pk=User.objects.order_by("pk")[0].pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(User.objects.order_by("pk")[0])
    return {address: look(client, address) for address in ADDRESSES}


def plant(plugins: int) -> None:
    from django.db import transaction

    from accounts.models import User
    from telemetry.days import today
    from telemetry.models import (
        UsageComponentDaily,
        UsageDaily,
        UsagePluginDaily,
        UsageToolDaily,
        UsageUserDaily,
    )

    if UsageDaily.objects.filter(day=today()).exists():
        return
    people = list(User.objects.values_list("pk", flat=True))[: max(plugins, 3)]
    for ago in range(DAYS):
        day = today() - timedelta(days=ago)
        items = [f"market/plugin-{number}" for number in range(plugins)]
        each = {"day": day, "invocations": 7, "error_count": 1}
        with transaction.atomic():
            UsageDaily.objects.update_or_create(
                day=day, defaults={"people": len(people), "sessions": 300, "invocations_builtin": 55_000}
            )
            UsageToolDaily.objects.bulk_create(
                UsageToolDaily(**each, tool_name=tool, source="builtin") for tool in TOOLS
            )
            UsagePluginDaily.objects.bulk_create(
                UsagePluginDaily(**each, source="curated", ref_id=item) for item in items
            )
            UsageComponentDaily.objects.bulk_create(
                UsageComponentDaily(
                    **each,
                    source="curated",
                    ref_id=item,
                    component_kind="skill",
                    component_name=f"skill-{one}",
                )
                for item in items
                for one in range(SKILLS)
            )
            UsageUserDaily.objects.bulk_create(
                UsageUserDaily(**each, user_id=person, tool_name=tool, source="builtin")
                for person in people
                for tool in TOOLS
            )


if __name__ == "__main__":
    main()
