"""The archive itself: a tar with a checksum for each member, written and read in one pass.

Lists of checksums are as `sha256sum --check` takes them, so that an unpacked backup can be checked without
Agnes.
"""

import fcntl
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from agnes.backup.format import CHECKSUMS, FORMAT, HEAD, MANIFEST, Head, Manifest
from agnes.errors import BackupDamaged, BackupExists, BackupTooNew, NoBackup
from telemetry.files.storage import sync

# So many members share a list of checksums.
LISTED_TOGETHER = 1000
PIECE = 1 << 20
# No manifest is as long: what is longer is no manifest.
LONGEST_MANIFEST = 1 << 30
PARTIAL = ".partial"
# What tarfile raises where a header makes no sense.
TAR_ERRORS = (tarfile.TarError, EOFError, OverflowError, ValueError)


class _Hashed:
    """What is read of a stream, hashed on its way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._digest.update(piece)
        return piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class MemberStream(_Hashed):
    """The content of a member. Raises BackupDamaged."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self._path = path

    def read(self, size: int = -1) -> bytes:
        try:
            return super().read(size)
        except tarfile.TarError as error:
            raise BackupDamaged(self._path, "it ends too early") from error

    def exhaust(self) -> None:
        while self.read(PIECE):
            pass


class ArchiveWriter:
    """Members are on disk, and under their final name, once `written` has ended."""

    def __init__(self, file: IO[bytes], head: Head) -> None:
        self._tar: Any = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self._made_at = head.made_at
        self._listed: list[str] = []
        self._lists = 0
        self._over_lists = hashlib.sha256()
        self.add_bytes(HEAD, msgspec.json.encode(head))

    def add(self, name: str, stream: IO[bytes], size: int) -> None:
        """A stream of exactly `size` bytes. Raises OSError where there are fewer."""
        hashed = _Hashed(stream)
        self._add(name, hashed, size)
        self._listed.append(f"{hashed.sha256}  {name}\n")
        if len(self._listed) >= LISTED_TOGETHER:
            self._write_list()

    def add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, io.BytesIO(content), len(content))

    def finish(self, manifest: Manifest) -> Manifest:
        """With the checksums; call it last."""
        self._write_list()
        manifest.lists, manifest.lists_sha256 = self._lists, self._over_lists.hexdigest()
        content = manifest.sealed()
        self._add(MANIFEST, io.BytesIO(content), len(content))
        self._tar.close()
        return manifest

    def _write_list(self) -> None:
        if not self._listed:
            return
        self._lists += 1
        content = "".join(self._listed).encode()
        self._over_lists.update(content)
        self._listed.clear()
        self._add(f"{CHECKSUMS}{self._lists:06}.sha256", io.BytesIO(content), len(content))

    def _add(self, name: str, stream: object, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(self._made_at.timestamp())
        self._tar.addfile(member, stream)
        # It would keep them all.
        self._tar.members.clear()


@contextmanager
def written(path: Path, head: Head) -> Iterator[ArchiveWriter]:
    """It appears whole or not at all, readable by its owner only. Raises BackupExists, OSError."""
    if path.exists():
        raise BackupExists(path)
    partial = path.with_name(path.name + PARTIAL)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupExists(path, "is being written by another backup") from error
        try:
            file.truncate(0)
            yield ArchiveWriter(file, head)
            file.flush()
            os.fsync(file.fileno())
            if path.exists():
                raise BackupExists(path)
            partial.rename(path)
            sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


@dataclass(frozen=True)
class Member:
    """Read it before the next one is asked for, or not at all."""

    name: str
    size: int
    stream: MemberStream


class ArchiveReader:
    """A backup. Raises NoBackup, BackupTooNew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size if path.is_file() else 0
        self.head = self._read_head()

    def members(
        self, below: str = "", *, on_bytes: Callable[[int], None] = lambda position: None
    ) -> Iterator[Member]:
        """Those whose names begin with `below`, each checked once the next one is asked for. Of others only
        the lists are read. Raises BackupDamaged."""
        read: dict[str, str] = {}
        for member, stream in self._walk():
            on_bytes(member.offset_data)
            if member.name.startswith(CHECKSUMS):
                self._compare(read, stream.read(), everything=not below)
            elif member.name.startswith(below) and member.name != MANIFEST:
                yield Member(member.name, member.size, stream)
                stream.exhaust()
                read[member.name] = stream.sha256
        if read:
            raise BackupDamaged(self.path, f"the checksum of {next(iter(read))} is missing")

    def manifest(self) -> Manifest:
        """Raises BackupDamaged, BackupTooNew."""
        last, content, lists, over_lists = "", b"", 0, hashlib.sha256()
        for member, stream in self._walk():
            last = member.name
            if last.startswith(CHECKSUMS):
                lists += 1
                over_lists.update(stream.read())
            elif last == MANIFEST and member.size <= LONGEST_MANIFEST:
                content = stream.read()
        if last != MANIFEST:
            raise BackupDamaged(self.path, "its end is missing, or what leads there")
        manifest = self._decode(content)
        if (manifest.lists, manifest.lists_sha256) != (lists, over_lists.hexdigest()):
            raise BackupDamaged(self.path, "its lists of checksums are not those that were written")
        return manifest

    def _decode(self, content: bytes) -> Manifest:
        try:
            manifest = msgspec.json.decode(content, type=Manifest)
        except (msgspec.DecodeError, ValueError) as error:
            raise BackupDamaged(self.path, f"its manifest cannot be read ({error})") from error
        if not manifest.is_whole:
            raise BackupDamaged(self.path, "its manifest was changed")
        return manifest

    def _compare(self, read: dict[str, str], content: bytes, *, everything: bool) -> None:
        """Takes out of `read` what is as the list has it."""
        for line in content.decode(errors="replace").splitlines():
            sha256, _, name = line.partition("  ")
            found = read.pop(name, None)
            if found is None and everything:
                raise BackupDamaged(self.path, f"{name} is missing")
            if found is not None and found != sha256:
                raise BackupDamaged(self.path, f"{name} is not as it was written")

    def _read_head(self) -> Head:
        try:
            with tarfile.open(self.path, "r:") as tar:
                first = tar.next()
                stream = tar.extractfile(first) if first and first.name == HEAD else None
                head = msgspec.json.decode(stream.read(PIECE) if stream else b"", type=Head)
        except OSError as error:
            raise NoBackup(self.path, error.strerror or str(error)) from error
        except (*TAR_ERRORS, msgspec.DecodeError) as error:
            raise NoBackup(self.path, "it does not begin as one") from error
        if head.format > FORMAT:
            reason = f"it has format {head.format}, and this version reads {FORMAT}"
            raise BackupTooNew(self.path, reason)
        return head

    def names(self, below: str) -> Iterator[str]:
        """Of all members whose names begin so."""
        return (member.name for member, _ in self._walk() if member.name.startswith(below))

    def _walk(self) -> Iterator[tuple[tarfile.TarInfo, MemberStream]]:
        try:
            with tarfile.open(self.path, "r:") as opened:
                tar: Any = opened
                while (member := tar.next()) is not None:
                    stream = tar.extractfile(member) if member.isfile() else None
                    if stream is None:
                        raise BackupDamaged(self.path, f"{member.name} is no file")
                    yield member, MemberStream(self.path, stream)
                    # It would keep them all.
                    tar.members.clear()
        except TAR_ERRORS as error:
            raise BackupDamaged(self.path, f"it cannot be read ({error})") from error
