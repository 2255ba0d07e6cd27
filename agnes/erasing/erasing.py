"""Erase a person. What is begun goes on wherever it was interrupted, until nothing is left.

1. The person is locked out: from then on nothing comes in, and the erasure is on the list.
2. Rows go, in short transactions, and are counted in the same; the person's row becomes a pseudonym.
3. Files go, the lake is published without them, and SQLite's file is written anew.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.erasing import people, traces
from accounts.erasing.kinds import Counts, Kind, total
from accounts.erasing.subject import Subject
from accounts.errors import NobodyToErase
from accounts.models import Erasure, User
from agnes.erasing import task_rows
from marketplace.store import erasing as of_marketplace
from telemetry.database.durability import rewrite_database
from telemetry.maintenance import erasing as of_telemetry
from telemetry.maintenance import listing
from telemetry.maintenance.publishing_purges import publish_purged

ACTION = "user.erase"
# Told how many rows are removed by now.
OnErase = Callable[[int], None]
# What names sessions goes before these are forgotten.
KINDS: tuple[Kind, ...] = (
    *task_rows.KINDS,
    *traces.KINDS,
    *of_marketplace.KINDS,
    *of_telemetry.KINDS,
)
# What is left may be kept by somebody at this moment: it goes when the erasure goes on.
FILES, SERVED, LAKE, DATABASE = "stored files", "served repositories", "the lake", "SQLite's file"


@dataclass(frozen=True)
class Outcome:
    """`removed`: how many of what, since it was begun. `left` names what could not be removed yet."""

    person: int
    removed: Counts
    left: list[str]


def find(email: str) -> User | Erasure:
    """The person, or an erasure that was interrupted when nobody had the address any more. Raises
    NobodyToErase."""
    person: User | None = User.objects.filter(email=email.strip().lower()).first()
    if person:
        return person
    erasures = Erasure.objects.filter(email_hash=people.email_hash(email)).order_by("-pk")
    unfinished = erasures.filter(finished_at=None).first()
    if unfinished is None:
        raise NobodyToErase(email, was_erased=erasures.exists())
    return unfinished


def count(person: User) -> Counts:
    """What an erasure would remove. Raises LastAdmin."""
    people.require_other_admin(person)
    subject = subject_of(person)
    return total(kind.count(subject) for kind in KINDS) + of_telemetry.count_files(subject)


def erase(person: User, *, on_erase: OnErase = lambda removed: None) -> Outcome:
    """Everything of a person. Raises LastAdmin; LakeUnavailable is told by `left`."""
    return go_on(begin(person), on_erase=on_erase)


def begin(person: User) -> Erasure:
    """Raises LastAdmin."""
    people.require_other_admin(person)
    erasure = people.begin(person)
    listing.write()
    return erasure


def go_on(erasure: Erasure, *, on_erase: OnErase = lambda removed: None) -> Outcome:
    forget(erasure, on_erase=on_erase)
    return clean_up(erasure)


def forget(erasure: Erasure, *, on_erase: OnErase = lambda removed: None) -> None:
    """All rows: nothing of the database names the person any more."""
    person = User.objects.get(pk=erasure.person)
    if people.is_pseudonym(person):
        return
    subject = subject_of(person)
    for kind in KINDS:
        while _remove_some(kind, subject, erasure):
            on_erase(sum(erasure.removed.values()))
    for kind in task_rows.KINDS:
        # A task that ended meanwhile may have named a session.
        while _remove_some(kind, subject, erasure):
            pass
    with transaction.atomic(durable=True):
        _note(erasure, people.become_pseudonym(subject))


def clean_up(erasure: Erasure) -> Outcome:
    """What no transaction removes, and the end, which is audited."""
    done = {
        FILES: of_telemetry.remove_files(erasure.person),
        SERVED: of_marketplace.remove_files(erasure.person),
        LAKE: publish_purged(),
        DATABASE: rewrite_database(),
    }
    left = [name for name, is_done in done.items() if not is_done]
    if not left:
        _finish(erasure)
    return Outcome(erasure.person, Counter(erasure.removed), left)


def subject_of(person: User) -> Subject:
    return Subject(person.pk, person.email, person.name, of_telemetry.session_ids_of(person.pk))


def _remove_some(kind: Kind, subject: Subject, erasure: Erasure) -> bool:
    with transaction.atomic(durable=True):
        removed = kind.remove(subject)
        _note(erasure, removed)
    return bool(removed)


def _note(erasure: Erasure, removed: Counts) -> None:
    erasure.removed = dict(Counter(erasure.removed) + removed)
    erasure.save(update_fields=["removed"])


def _finish(erasure: Erasure) -> None:
    with transaction.atomic():
        unfinished = Erasure.objects.filter(pk=erasure.pk, finished_at=None)
        if unfinished.update(finished_at=timezone.now()):
            audit.record(ACTION, target=f"user:{erasure.person}", params=erasure.removed)
