"""Whether a backup is as it was written, all of it."""

from collections import defaultdict
from pathlib import Path

import msgspec
import zstandard

from agnes.backup import schema
from agnes.backup.archive import ArchiveReader, Member
from agnes.backup.files import is_key
from agnes.backup.format import FILES, TABLES, Manifest, TableNote
from agnes.backup.loading import Chunk
from agnes.backup.making import OnProgress
from agnes.errors import BackupDamaged, BackupTooNew

STEP = "Checking, MB"


def check(path: Path, *, on_progress: OnProgress = lambda step, done, of: None) -> Manifest:
    """Reads everything and changes nothing. Raises NoBackup, BackupDamaged, BackupTooNew."""
    archive = ArchiveReader(path)
    manifest = archive.manifest()
    if newer := schema.unknown(manifest.migrations):
        raise BackupTooNew(path, f"it has the migration {newer[0]}")
    files, file_bytes = 0, 0
    tables: dict[str, TableNote] = defaultdict(TableNote)
    for member in archive.members(on_bytes=lambda at: on_progress(STEP, at >> 20, archive.size >> 20)):
        if member.name.startswith(TABLES):
            name, rows = _count(path, member)
            tables[name].chunks += 1
            tables[name].rows += rows
        elif member.name.startswith(FILES):
            if not is_key(member.name.removeprefix(FILES)):
                raise BackupDamaged(path, f"{member.name} is no name of a stored file")
            files += 1
            file_bytes += member.size
    if tables != manifest.tables:
        raise BackupDamaged(path, "its tables do not have as many rows as were written")
    if (files, file_bytes) != (manifest.files, manifest.file_bytes):
        raise BackupDamaged(path, "it has not as many stored files as were written")
    return manifest


def _count(path: Path, member: Member) -> tuple[str, int]:
    try:
        chunk = Chunk(member.stream)
        return chunk.header.table, chunk.count()
    except (zstandard.ZstdError, msgspec.DecodeError, ValueError) as error:
        raise BackupDamaged(path, f"{member.name} is not as it was written ({error})") from error
