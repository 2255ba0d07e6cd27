"""Who was erased stays so: a restore, or a database that was copied back, may hold them again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from accounts.diagnosis import Finding
from accounts.erasing import people
from accounts.models import Erasure, User
from agnes.erasing import erasing
from telemetry.charts import counted
from telemetry.maintenance import listing


def come_back(entries: list[listing.Entry]) -> Iterator[User]:
    """Those of the list who are here as if they had never been erased."""
    there = User.objects.filter(erased_at=None).in_bulk([entry.person for entry in entries])
    for entry in entries:
        person = there.get(entry.person)
        if person and people.account_hash(person) == entry.account_hash:
            yield person


def lock_out(*more: Path) -> list[Erasure]:
    """Everybody of the list who is here again; the table knows the whole list afterwards.

    Returns all erasures that are not finished. Raises NoListOfErasures.
    """
    entries = listing.known(*more)
    for entry in entries:
        Erasure.objects.get_or_create(
            account_hash=entry.account_hash,
            defaults={
                "person": entry.person,
                "email_hash": entry.email_hash,
                "begun_at": entry.begun_at,
                # Whoever is not here has nothing to be removed; others are begun below.
                "finished_at": entry.begun_at,
            },
        )
    listing.write(*more)
    for person in come_back(entries):
        people.begin(person)
    return list(Erasure.objects.filter(finished_at=None).order_by("pk"))


def examine(min_age: timedelta) -> Iterator[Finding]:
    """For `manage.py doctor`: erasures that were interrupted, and people who were brought back."""
    unfinished = Erasure.objects.filter(finished_at=None).count()
    back = len(list(come_back(listing.known())))
    if unfinished or back:
        yield Finding(
            f"{counted(unfinished + back, 'erasure')} of people to be finished.",
            "It was interrupted, or a restore brought the people back: finish with --fix.",
            _finish_all,
        )


def _finish_all() -> str:
    outcomes = [erasing.go_on(erasure) for erasure in lock_out()]
    left = sorted({name for outcome in outcomes for name in outcome.left})
    told = f"Finished {counted(sum(not it.left for it in outcomes), 'erasure')}."
    return f"{told} Left for another time: {', '.join(left)}." if left else told
