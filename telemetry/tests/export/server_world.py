"""Fill the data folder of a server of its own: python -m telemetry.tests.export.server_world ROWS

Prints an admin's token. The rows are about a kilobyte each, and no two alike.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import django

FIRST = datetime(2026, 5, 1, tzinfo=UTC)


def main(rows: int) -> None:
    django.setup()
    from django.core.management import call_command

    from accounts import tokens
    from accounts.models import Scope, User
    from telemetry.export.datasets import Dataset
    from telemetry.tests.export import lakes

    call_command("migrate", verbosity=0)
    lakes.build({Dataset.EVENTS: events(rows)})
    alice = User.objects.create_superuser("alice@example.com", "x")
    print(tokens.issue(alice, name="test", scopes=[Scope.ADMIN])[1])


def events(rows: int) -> Iterator[Mapping[str, Any]]:
    for number in range(rows):
        at = FIRST + timedelta(seconds=number)
        noise = hashlib.shake_128(str(number).encode()).hexdigest(500)
        yield {"id": f"{number:09}", "occurred_at": at, "cwd": noise}


if __name__ == "__main__":
    main(int(sys.argv[1]))
