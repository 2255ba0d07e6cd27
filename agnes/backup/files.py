"""The stored files that a database names: transcripts, and what was uploaded to the flea market."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from marketplace.models import StoreVersion
from telemetry.models import SessionTranscript, SessionTranscriptPart

# Where all of them lie. Beside these folders may be the database, secrets and repositories.
FOLDERS = ("transcripts", "store")
# Read so many rows at a time, and not with a cursor: what is done with each file takes its time.
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class NamedFile:
    """`key` is its name in the storage. `bytes` are those that the row says it has there."""

    key: str
    bytes: int
    row: models.Model

    def is_still_named(self) -> bool:
        """At this moment, whatever a snapshot sees."""
        return any(
            rows.filter(pk=self.row.pk).exists()
            for rows in _sources(DEFAULT_DB_ALIAS)
            if isinstance(self.row, rows.model)
        )


def is_key(key: str) -> bool:
    """Whether a stored file can have this name; a backup may say anything."""
    folder, *rest = key.split("/")
    return folder in FOLDERS and bool(rest) and all(part not in ("", ".", "..") for part in rest)


def named_files(using: str = DEFAULT_DB_ALIAS) -> Iterator[NamedFile]:
    for rows in _sources(using):
        for row in _in_batches(rows):
            yield _file_of(row)


def count_named(using: str = DEFAULT_DB_ALIAS) -> int:
    return sum(rows.count() for rows in _sources(using))


def _sources(using: str) -> "list[models.QuerySet[Any]]":
    """Without what retention has removed the files of."""
    kept = SessionTranscript.objects.readable()
    live = SessionTranscriptPart.objects.using(using).filter(
        superseded=False, transcript__in=kept.using(using)
    )
    return [
        live.select_related("transcript").defer("fingerprint"),
        StoreVersion.objects.using(using).exclude(pack=""),
    ]


def _file_of(row: Any) -> NamedFile:
    if isinstance(row, StoreVersion):
        return NamedFile(row.pack, row.size, row)
    return NamedFile(row.storage_key, row.stored_bytes, row)


def _in_batches(rows: "models.QuerySet[Any]") -> Iterator[models.Model]:
    """Those that there are now: what comes meanwhile is not run after."""
    newest = rows.aggregate(newest=models.Max("pk"))["newest"] or 0
    last = 0
    while batch := list(rows.filter(pk__gt=last, pk__lte=newest).order_by("pk")[:ROWS_AT_ONCE]):
        yield from batch
        last = batch[-1].pk
