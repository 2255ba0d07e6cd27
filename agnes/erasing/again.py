"""Who was erased stays so, and what is withheld: a restore, or a database that was copied back, may hold them
again."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from accounts.diagnosis import Finding
from accounts.erasing import people
from accounts.models import Erasure, User
from agnes.erasing import erasing
from telemetry.charts import counted
from telemetry.maintenance import listing, withholding
from telemetry.maintenance.listing import ErasedEntry, WithheldEntry

Entry = TypeVar("Entry", ErasedEntry, WithheldEntry)


def come_back(entries: Iterable[ErasedEntry]) -> list[User]:
    """Those of the list who are here as if they had never been erased."""
    return [person for person, _ in _here(entries)]


def lock_out() -> list[Erasure]:
    """Everybody of the list who is here again; the table knows the whole list afterwards.

    Returns all erasures that are not finished. Raises NoListOfErasures.
    """
    entries = listing.known().erased
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
    for person in come_back(entries):
        people.begin(person)
    return list(Erasure.objects.filter(finished_at=None).order_by("pk"))


def withhold_listed() -> int:
    """What the list has of the sessions of those who are here, and the table has not. Returns how many of
    them may not be here: their rows are gone, and `withholding.go_on` removes the rest. Raises
    NoListOfErasures."""
    withheld = 0
    for person, entry in _unknown_to_the_table():
        withholding.withhold_as_listed(person, entry)
        withheld += entry.readmitted_at is None
    return withheld


def examine(min_age: timedelta) -> Iterator[Finding]:
    """For `manage.py doctor`: erasures that were interrupted, and what was brought back."""
    unfinished = Erasure.objects.filter(finished_at=None).count()
    back = len(come_back(listing.known().erased))
    if unfinished or back:
        yield Finding(
            f"{counted(unfinished + back, 'erasure')} of people to be finished.",
            "It was interrupted, or a restore brought the people back: finish with --fix.",
            _finish_all,
        )
    taken = sum(entry.readmitted_at is None for _, entry in _unknown_to_the_table())
    if taken:
        yield Finding(
            f"{counted(taken, 'private session')} that this database takes again.",
            "A restore was interrupted, or the database was copied back: withhold with --fix.",
            _withhold_all,
        )


def _finish_all() -> str:
    unfinished = lock_out()
    listing.write()
    outcomes = [erasing.go_on(erasure) for erasure in unfinished]
    left = sorted({name for outcome in outcomes for name in outcome.left})
    told = f"Finished {counted(sum(not it.left for it in outcomes), 'erasure')}."
    return f"{told} Left for another time: {', '.join(left)}." if left else told


def _withhold_all() -> str:
    told = f"Withheld {counted(withhold_listed(), 'session')} again."
    return told if withholding.go_on() else f"{told} The task worker removes what is left of it."


def _unknown_to_the_table() -> list[tuple[User, WithheldEntry]]:
    versions = {entry.key: entry.version for entry in listing.withheld_here()}
    entries = listing.known().withheld
    return list(_here(it for it in entries if it.key not in versions or it.version > versions[it.key]))


def _here(entries: Iterable[Entry]) -> Iterator[tuple[User, Entry]]:
    """Those whose account is here, and not erased."""
    entries = list(entries)
    there = User.objects.filter(erased_at=None).in_bulk([entry.person for entry in entries])
    for entry in entries:
        person = there.get(entry.person)
        if person and people.account_hash(person) == entry.account_hash:
            yield person, entry
