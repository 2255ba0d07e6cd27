"""What `manage.py doctor` examines, in this order. Each examination yields findings, with their cures."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import checks
from django_q.models import Schedule

from accounts.diagnosis import Finding
from agnes import schedules
from agnes.checks import is_of_this_machine
from agnes.erasing import again
from agnes.health import probes
from marketplace.store import packs
from telemetry.charts import counted
from telemetry.dashboard import machine
from telemetry.errors import StorageUnavailable
from telemetry.strays import copies, lake, spool, stored_files

Examine = Callable[[timedelta], Iterable[Finding]]


@dataclass(frozen=True)
class Examination:
    """`needs_tables`: it reads the database, as this version of Agnes has it."""

    title: str
    examine: Examine
    needs_tables: bool = True


def settings_and_checks(min_age: timedelta) -> Iterator[Finding]:
    """What `manage.py check` says; of a server that others reach, `check --deploy`."""
    is_deployed = not (settings.DEBUG or is_of_this_machine(settings.AGNES_URL))
    for message in checks.run_checks(include_deployment_checks=is_deployed):
        if not message.is_silenced():
            yield Finding(f"{message.id}: {message.msg}", message.hint or "")


def readiness(min_age: timedelta) -> Iterator[Finding]:
    """What /readyz says."""
    for answer in probes.answers().values():
        if not answer.ok:
            yield Finding(answer.message, answer.hint)


def clock(min_age: timedelta) -> Iterator[Finding]:
    """Whether the task queue knows the schedules of this version."""
    there = set(Schedule.objects.values_list("name", "func", "minutes"))
    rows = [every.as_row() for every in schedules.declared()]
    wanted = {(row["name"], row["func"], row["minutes"]) for row in rows}
    if missing := wanted - there:
        names = ", ".join(sorted(name for name, _, _ in missing))
        yield Finding(
            f"Schedules that the task queue does not have, or has otherwise: {names}.",
            "Run `manage.py sync_schedules`, as after every update, or write them with --fix.",
            lambda: f"Wrote {counted(len(schedules.sync()), 'schedule')}.",
        )


def given_up(min_age: timedelta) -> Iterator[Finding]:
    if failed := machine.failed().count():
        yield Finding(
            f"{counted(failed, 'transcript')} that a processor has given up after three attempts.",
            "The admin lists them under Transcripts with the error of each. When its cause is mended, press "
            "“Try again” on the admin's front page.",
        )


def findings_of(examination: Examination, min_age: timedelta) -> list[Finding]:
    """Also where it could not be made."""
    try:
        return list(examination.examine(min_age))
    except StorageUnavailable as error:
        return [Finding(error.message, error.hint)]


EXAMINATIONS = (
    Examination("Settings", settings_and_checks, needs_tables=False),
    Examination("Readiness", readiness, needs_tables=False),
    Examination("Schedules", clock),
    Examination("Processing", given_up),
    Examination("Erasures", again.examine),
    Examination("Stored transcripts", stored_files.examine),
    Examination("Flea market", packs.examine),
    Examination("Spool folder", spool.examine),
    Examination("Lake", lake.examine),
    Examination("Copies", copies.examine),
)


def has_tables() -> bool:
    """Whether there is a database to examine."""
    answers = probes.answers()
    return answers["database"].ok and answers["migrations"].ok
