"""Stored files that go: noted with the rows that go, deleted after the commit, and tried until they are."""

import logging
from collections.abc import Iterable

from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from telemetry.models import DoomedFile, SessionTranscriptPart, storage_folder

log = logging.getLogger(__name__)


def doom(keys: Iterable[str]) -> None:
    """Call it in the transaction that removes their rows."""
    DoomedFile.objects.bulk_create((DoomedFile(key=key) for key in set(keys)), ignore_conflicts=True)


def delete_doomed(*, user_id: int | None = None) -> bool:
    """Those of everybody, or of one person. False where some could not be deleted: the log says why."""
    doomed = DoomedFile.objects.order_by("pk")
    if user_id is not None:
        doomed = doomed.filter(key__startswith=f"{storage_folder(user_id)}/")
    # All of them, whether or not one fails.
    gone = [_delete(file) for file in list(doomed)]
    return all(gone)


def _delete(file: DoomedFile) -> bool:
    _, user_id, name = file.key.split("/")
    sha256 = name.partition(".")[0]
    live = SessionTranscriptPart.objects.stored().filter(transcript__owner=int(user_id), sha256=sha256)
    try:
        with transaction.atomic():
            # While the person is locked nobody stores the same bytes anew.
            User.objects.select_for_update(no_key=True).filter(pk=int(user_id)).first()
            if not live.exists():
                default_storage.delete(file.key)
            file.delete()
    except OSError as error:
        log.error("%s could not be deleted, which is tried again: %s", file.key, error)
        return False
    return True
