"""Take the demo organisation out again, and nothing else. Rows of the audit log stay, as always."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic, sleep

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import AccessToken, User
from telemetry.demo.world import GROUP, REMOVED, demo_people
from telemetry.files.storage import remove_empty_folder
from telemetry.maintenance.doomed_files import delete_doomed
from telemetry.maintenance.removing import remove_transcripts
from telemetry.models import SessionTranscript, UsageEvent, storage_folder
from telemetry.processors.claims import claimed
from telemetry.processors.registry import PROCESSORS
from telemetry.publishing import publish


class DemoBusy(AgnesError):
    status = 409
    code = "demo_busy"


@dataclass(frozen=True)
class Removed:
    people: int
    transcripts: int
    events: int

    def __str__(self) -> str:
        return f"{self.people} people, {self.transcripts} transcripts, {self.events} events"


def count() -> Removed:
    """What `remove` would remove."""
    people = demo_people().values("pk")
    return Removed(
        people.count(),
        SessionTranscript.objects.filter(owner__in=people).count(),
        UsageEvent.objects.filter(user__in=people).count(),
    )


def remove() -> Removed:
    """Rows first, in one transaction, then the files: a file without a row is found by nobody."""
    user_ids = list(demo_people().values_list("pk", flat=True))
    with _held_back_workers(user_ids), transaction.atomic():
        removed = count()
        _remove_rows(user_ids)
        if user_ids:
            audit.record(REMOVED, params={"people": removed.people, "transcripts": removed.transcripts})
    publish()
    delete_doomed()
    for user_id in user_ids:
        remove_empty_folder(storage_folder(user_id))
    return removed


@contextmanager
def _held_back_workers(user_ids: Sequence[int]) -> Iterator[None]:
    """Claim everybody, so that no worker writes about a person who is being removed."""
    deadline = monotonic() + 2 * settings.PROCESSOR_CLAIM_SECONDS
    with ExitStack() as claims:
        for name in PROCESSORS:
            for user_id in user_ids:
                while claims.enter_context(claimed(name, user_id)) is None:
                    if monotonic() > deadline:
                        raise DemoBusy("A worker is busy with the demo.", "Try again when it is done.")
                    sleep(0.2)
        yield


def _remove_rows(user_ids: list[int]) -> None:
    transcripts = SessionTranscript.objects.filter(owner__in=user_ids)
    remove_transcripts(list(transcripts), purge=False)
    AccessToken.objects.filter(user__in=user_ids).delete()
    # People are never deleted, so their manager refuses; invented ones are the exception.
    User._base_manager.filter(pk__in=user_ids).delete()
    Group.objects.filter(name=GROUP, user=None).delete()
