"""The storage and the table of parts, held against each other.

A kill between the two leaves a file without a row, which nobody reads. A row without its file is a loss that
no crash of Agnes causes: it is told, and never removed, since the same transcript may be uploaded again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from accounts.diagnosis import Finding, some_of
from accounts.models import User
from telemetry.charts import counted
from telemetry.files.storage import remove_empty_folder
from telemetry.models import SessionTranscriptPart, storage_folder
from telemetry.models.transcripts import SessionTranscriptPartQuerySet

FOLDER = "transcripts"
# What Agnes writes there: transcripts, and temporary names before they are renamed. All else is not ours.
OURS = re.compile(r"[0-9a-f]{64}\.jsonl\.zst|\.[a-z0-9_]{8}")


@dataclass(frozen=True)
class Stray:
    user_id: int
    name: str

    @property
    def key(self) -> str:
        return f"{storage_folder(self.user_id)}/{self.name}"


def examine(min_age: timedelta) -> Iterator[Finding]:
    """Files younger than `min_age` may be those of an upload under way."""
    before = timezone.now() - min_age
    strays: list[Stray] = []
    lost: list[str] = []
    for user_id in sorted(_owners()):
        names = _names_in(storage_folder(user_id))
        kept = _kept_names(user_id)
        strays += _strays(user_id, names - {name for name, _ in kept}, before)
        lost += [session_file for name, session_file in kept if name not in names]
        lost += _cut_short(user_id, names)
    if strays:
        yield _without_row(strays, before)
    if lost:
        yield _without_file(sorted(set(lost)))


def _owners() -> set[int]:
    owners = set(
        SessionTranscriptPart.objects.stored()
        .order_by()
        .values_list("transcript__owner_id", flat=True)
        .distinct()
    )
    return owners | {int(name) for name in _folders_in(FOLDER) if name.isdecimal()}


def _kept_names(user_id: int) -> list[tuple[str, str]]:
    """The files that a person's rows name, each with its transcript."""
    rows = _live(user_id).values_list("sha256", "transcript__session_file")
    return [(f"{sha256}.jsonl.zst", session_file) for sha256, session_file in rows.iterator()]


def _live(user_id: int) -> SessionTranscriptPartQuerySet:
    return SessionTranscriptPart.objects.stored().filter(transcript__owner_id=user_id)


def _strays(user_id: int, names: set[str], before: datetime) -> list[Stray]:
    found = [Stray(user_id, name) for name in sorted(names) if OURS.fullmatch(name)]
    return [stray for stray in found if _is_old(stray, before)]


def _is_old(stray: Stray, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(stray.key) <= before
    except FileNotFoundError:
        return False


def _cut_short(user_id: int, names: set[str]) -> list[str]:
    """Only of a folder: a bucket has each file whole or not at all, and would be asked once for each."""
    if not isinstance(default_storage, FileSystemStorage):
        return []
    folder = storage_folder(user_id)
    rows = _live(user_id).values_list("sha256", "stored_bytes", "transcript__session_file")
    return [
        session_file
        for sha256, stored_bytes, session_file in rows.iterator()
        if (name := f"{sha256}.jsonl.zst") in names and _size(f"{folder}/{name}") != stored_bytes
    ]


def _size(key: str) -> int:
    try:
        return default_storage.size(key)
    except FileNotFoundError:
        return 0


def _without_row(strays: list[Stray], before: datetime) -> Finding:
    size = filesizeformat(sum(_size(stray.key) for stray in strays))
    return Finding(
        f"{counted(len(strays), 'stored file')} without a row ({size}): "
        f"{some_of([stray.key for stray in strays])}.",
        "An upload that was killed left them, and nothing reads them: remove them with --fix.",
        lambda: _remove(strays, before),
    )


def _without_file(session_files: list[str]) -> Finding:
    return Finding(
        f"{counted(len(session_files), 'transcript')} of which a stored file is missing or damaged: "
        f"{some_of(session_files)}.",
        "Restore the folder `transcripts` from a backup, or have these sessions uploaded again. Their "
        "figures stand, but cannot be extracted anew.",
    )


def _remove(strays: list[Stray], before: datetime) -> str:
    removed = sum(_remove_unless_used(stray, before) for stray in strays)
    for user_id in {stray.user_id for stray in strays}:
        remove_empty_folder(storage_folder(user_id))
    return f"Removed {counted(removed, 'stored file')}."


def _remove_unless_used(stray: Stray, before: datetime) -> bool:
    """An upload of the same bytes may have come meanwhile. It locks its owner before it relies on a file."""
    with transaction.atomic():
        list(User.objects.select_for_update(no_key=True).filter(pk=stray.user_id))
        sha256 = stray.name.partition(".")[0]
        if _live(stray.user_id).filter(sha256=sha256).exists() or not _is_old(stray, before):
            return False
        default_storage.delete(stray.key)
    return True


def _names_in(folder: str) -> set[str]:
    try:
        return set(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return set()


def _folders_in(folder: str) -> list[str]:
    try:
        return default_storage.listdir(folder)[0]
    except FileNotFoundError:
        return []
