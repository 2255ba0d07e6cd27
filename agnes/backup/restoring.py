"""Bring a backup into an installation: all of it, or nothing.

The backup is checked first, as a whole. Its stored files come next, where nobody reads them as long as no row
names them. Then one transaction empties the tables, fills them, compares the totals, removes again what was
removed for good since the backup was made, and commits.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import AuditLog, Erasure, User
from agnes import schedules
from agnes.backup import schema, secrets
from agnes.backup.archive import ArchiveReader
from agnes.backup.checking import check
from agnes.backup.emptying import empty_tables, reset_sequences
from agnes.backup.files import named_files
from agnes.backup.format import FILES, SECRETS, TABLES, Manifest
from agnes.backup.keys import KeySet
from agnes.backup.loading import Chunk
from agnes.backup.making import OnProgress
from agnes.backup.totals import differences, totals_of
from agnes.erasing import again, erasing
from agnes.errors import BackupTooOld, InstallationNotEmpty, RestoreFailed, WorkerRuns
from marketplace.models import Marketplace
from telemetry.maintenance import listing
from telemetry.management.interruption import interruptions_wait
from telemetry.models import LakeSnapshot, SessionTranscript, WorkerHeartbeat
from telemetry.processors import wakeup
from telemetry.processors.attempts import described
from telemetry.viewing.index_files import remove_all_indexes
from telemetry.worker_heartbeat import is_alive

log = logging.getLogger(__name__)


@dataclass
class Restored:
    """`by_hand` names the secrets that differ from those of the backup, and that only a person can set.
    `erasures` are of people whom the backup held, and who are locked out again; `withheld` is how many
    sessions it would have taken, and whose rows are gone."""

    manifest: Manifest
    by_hand: list[str] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    withheld: int = 0


OnRestored = Callable[[Restored], None]


def restore(
    path: Path,
    *,
    replace: bool = False,
    erasures: Sequence[Path] = (),
    on_progress: OnProgress = lambda step, done, of: None,
    on_restored: OnRestored = lambda restored: None,
) -> Restored:
    """Nothing is published yet when it returns: all days are marked.

    Who was erased and what was withheld, here or by the lists `erasures`, is erased and withheld again.
    `on_restored` is told once the backup is here to stay, whatever happens to the rest. Before that this
    raises NoBackup, BackupDamaged, BackupTooNew, BackupTooOld, NoListOfErasures, InstallationNotEmpty,
    WorkerRuns and RestoreFailed, or is interrupted; then everything is as before, but that the list here may
    know what `erasures` do.
    """
    for file in erasures:
        listing.read(file)
    manifest = check(path, on_progress=on_progress)
    here = what_is_here()
    if here and not replace:
        raise InstallationNotEmpty(here)
    if here and (later := schema.missing(manifest.migrations)):
        raise BackupTooOld(f"it lacks {later[0]}, which what is here has")
    schema.bring_forward()
    _require_no_worker()
    # Before the tables that say so are replaced.
    listing.write(*erasures)
    restored = _Restoring(ArchiveReader(path), manifest, on_progress, on_restored).restore()
    listing.write()
    for erasure in restored.erasures:
        erasing.forget(erasure)
    return restored


def forget_tasks() -> None:
    """At the end of all: they are signed with the secret that this process began with, which no worker may
    know. A schedule asks for the work anew."""
    with transaction.atomic():
        OrmQ.objects.all().delete()
        wakeup.note_started()


def what_is_here() -> dict[str, int]:
    """How many of what only people bring in; empty if there is nothing, not even tables."""
    if AuditLog._meta.db_table not in connection.introspection.table_names():
        return {}
    counts = {
        "people": User.objects.count(),
        "transcripts": SessionTranscript.objects.count(),
        "marketplaces": Marketplace.objects.count(),
        "audit rows": AuditLog.objects.count(),
    }
    return {name: count for name, count in counts.items() if count}


def _require_no_worker() -> None:
    latest = WorkerHeartbeat.objects.order_by("-beat_at").first()
    if latest and is_alive(latest.beat_at):
        raise WorkerRuns(latest.host)


class _Restoring:
    def __init__(
        self, archive: ArchiveReader, manifest: Manifest, on_progress: OnProgress, on_restored: OnRestored
    ) -> None:
        self._archive = archive
        self._manifest = manifest
        self._on_progress = on_progress
        self._on_restored = on_restored
        self._restored = Restored(manifest)
        self._is_of_older_version = bool(schema.missing(manifest.migrations))

    def restore(self) -> Restored:
        with KeySet(file.key for file in named_files()) as before:
            with schema.as_of(self._manifest.migrations), ExitStack() as until_told:
                with _told(), self._files_put(before):
                    self._load(until_told)
                self._on_restored(self._restored)
            if self._is_of_older_version:
                self._remove_again()
            self._remove_files(before)
        schedules.sync()
        remove_all_indexes()
        return self._restored

    @contextmanager
    def _files_put(self, before: KeySet) -> Iterator[None]:
        """If it fails, those that were not there before are gone again."""
        try:
            self._put_files()
            yield
        except BaseException:
            for name in self._archive.names(FILES):
                if (key := name.removeprefix(FILES)) not in before:
                    _delete(key)
            raise

    def _put_files(self) -> None:
        unneeded = set(self._manifest.unneeded)
        for number, member in enumerate(self._archive.members(FILES), 1):
            key = member.name.removeprefix(FILES)
            if key not in unneeded:
                default_storage.save(key, File(cast(IO[bytes], member.stream), name=key))
            self._on_progress("Stored files", number, self._manifest.files)

    def _load(self, until_told: ExitStack) -> None:
        with ExitStack() as until_committed, transaction.atomic(durable=True):
            empty_tables()
            self._load_tables()
            reset_sequences()
            connection.check_constraints()
            if wrong := differences(self._manifest.totals, totals_of()):
                raise RestoreFailed(f"it would have {', '.join(wrong)}")
            # The lake is of what was here before: the next publish begins it anew.
            LakeSnapshot.objects.update(
                schema=0, versions={}, is_complete=False, rebuilding_since=None, purged_at=timezone.now()
            )
            params = {"made_at": self._manifest.made_at.isoformat(), "rows": self._manifest.rows}
            audit.record("system.restore", params=params)
            if not self._is_of_older_version:
                self._remove_again()
            found = {
                member.name.removeprefix(SECRETS).upper(): member.stream.read()
                for member in self._archive.members(SECRETS)
            }
            # Whether a commit that is interrupted was one, nobody could tell.
            until_told.enter_context(interruptions_wait())
            replaced = until_committed.enter_context(secrets.replaced(found))
            self._restored.by_hand = secrets.differing(self._manifest.secrets, replaced)

    def _remove_again(self) -> None:
        """What was removed for good since; it needs the tables as they are now."""
        self._restored.erasures = again.lock_out()
        self._restored.withheld = again.withhold_listed()

    def _load_tables(self) -> None:
        done = 0
        for member in self._archive.members(TABLES):
            done += Chunk(member.stream).load()
            self._on_progress("Rows", done, self._manifest.rows)

    def _remove_files(self, before: KeySet) -> None:
        """Of what was replaced."""
        with KeySet(file.key for file in named_files()) as now:
            for key in before:
                if key not in now:
                    _delete(key)


def _delete(key: str) -> None:
    """What stays has no row, and so is never read."""
    try:
        default_storage.delete(key)
    except OSError as error:
        log.warning("%s could not be deleted: %s", key, error)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except AgnesError:
        raise
    except (DatabaseError, OSError, ValueError) as error:
        raise RestoreFailed(described(error)) from error
