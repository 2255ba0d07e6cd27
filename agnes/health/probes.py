"""The checks behind /readyz: cheap ones, since anybody may ask, and as often as they like.

What they say holds no address, no path and no error's text. Those go to the log.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat

from agnes.health import migrations
from telemetry import vitals
from telemetry.files import disk
from telemetry.worker_heartbeat import ALIVE, is_alive

log = logging.getLogger(__name__)


IN_LOG = "; the server's log has its words."


@dataclass(frozen=True)
class Answer:
    """`hint` is the cure; '' where nothing is wrong."""

    ok: bool
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Probe:
    name: str
    ask: Callable[[], Answer]
    needs_database: bool = True


def _database() -> Answer:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Answer(True, "The database answers.")


def _migrations() -> Answer:
    if missing := len(migrations.missing()):
        of_apps = "one app" if missing == 1 else f"{missing} apps"
        return Answer(
            False, f"The database lacks tables or columns of {of_apps}.", "Run `manage.py migrate`."
        )
    return Answer(True, "The database has all tables of this version.")


def _disk() -> Answer:
    found = disk.look()
    if found.free is None:
        return Answer(False, "The data folder is missing.", "Bring it back, or correct AGNES_DATA_DIR.")
    if not found.is_writable:
        return Answer(False, "The data folder is not writable.", "Let the server's user write to it.")
    if found.is_low:
        least = filesizeformat(settings.MIN_FREE_BYTES)
        return Answer(
            False,
            f"Less than {least} are free where the data folder is.",
            "Make room, or lower AGNES_MIN_FREE_BYTES.",
        )
    return Answer(True, "The data folder is writable and has room.")


def _worker() -> Answer:
    if is_alive(vitals.worker_seen_at()):
        return Answer(True, "A task worker is alive.")
    return Answer(
        False,
        f"No task worker has left a sign of life in the last {int(ALIVE.total_seconds())} seconds.",
        "Start one: `manage.py qcluster`. Where it runs, its log says why it cannot write to the database.",
    )


def _publishing() -> Answer:
    lag = vitals.publish_lag()
    if lag is None or lag <= vitals.STUCK:
        return Answer(True, "The figures are up to date." if lag is None else "New figures come soon.")
    return Answer(
        False,
        f"Changes have waited for {_in_hours(lag)} to be published.",
        "See that a task worker runs and reaches the lake; the admin's front page says why it fails.",
    )


DATABASE = Probe("database", _database)
PROBES = (
    DATABASE,
    Probe("migrations", _migrations),
    Probe("disk", _disk, needs_database=False),
    Probe("worker", _worker),
    Probe("publishing", _publishing),
)
NAMES = tuple(probe.name for probe in PROBES)


def answers(without: Collection[str] = ()) -> dict[str, Answer]:
    """What each probe says, by its name, in their order; those in `without` are not asked."""
    found: dict[str, Answer] = {}
    database = _asked(DATABASE)
    for probe in PROBES:
        if probe.name in without:
            continue
        if probe is DATABASE:
            found[probe.name] = database
        elif probe.needs_database and not database.ok:
            found[probe.name] = Answer(False, "It is not known while the database does not answer.")
        else:
            found[probe.name] = _asked(probe)
    return found


def _asked(probe: Probe) -> Answer:
    try:
        return probe.ask()
    except DatabaseError as error:
        log.warning("The check %s failed: %s", probe.name, error)
        if probe is DATABASE:
            return Answer(False, "The database does not answer.", f"See that it runs{IN_LOG}")
        return Answer(False, "The database refused the question.", f"Run `manage.py migrate`{IN_LOG}")


def _in_hours(lag: timedelta) -> str:
    hours = int(lag.total_seconds() // 3600)
    return "an hour" if hours == 1 else f"{hours} hours"
