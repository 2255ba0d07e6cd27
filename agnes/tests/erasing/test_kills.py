"""kill -9 in the middle of an erasure: the same command goes on with it, to the same end."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import AuditLog, Erasure, User
from agnes.tests.erasing.world import EMAIL, populate, traces_left
from telemetry.tests.kills.conftest import die
from telemetry.tests.kills.test_kills_in_maintenance import wait_until_leases_have_expired
from telemetry.tests.kills.victim import ERASING
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["die"]
SAMPLE = ("among the transcripts", 1), ("before it is published", 1)
MANY = {"among the rows": (1, 5, 11, 16), "among the transcripts": (1, 2, 3), "among the files": (1, 3)}


def moments() -> list[Any]:
    """Each takes a process and seconds, so `make test` has a few."""
    all_of_them = [(stage, nth) for stage in ERASING for nth in MANY.get(stage, (1,))]
    return [one if one in SAMPLE else pytest.param(*one, marks=pytest.mark.slow) for one in all_of_them]


@pytest.mark.parametrize(("stage", "nth"), moments())
def test_killed(stage: str, nth: int, alice: User, charlie: User, die: Callable[..., None]) -> None:
    person = populate(alice, charlie)
    die(stage, nth, "erase", EMAIL)
    person.refresh_from_db()
    assert not person.is_active
    assert Erasure.objects.get().finished_at is None
    wait_until_leases_have_expired()
    call_command("erase_person", EMAIL, "--erase", stdout=io.StringIO())
    assert traces_left() == set()
    assert stored() == expected()
    assert in_lake() == in_database()
    counts = AuditLog.objects.get(action="user.erase").params
    assert (counts["transcripts"], counts["questions"], counts["access tokens"]) == (3, 2, 1)
