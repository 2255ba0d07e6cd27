"""The files of a commit as a tree for the parser. Nothing is checked out, so no symlink is ever followed."""

import hashlib
import os
import subprocess
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from marketplace.git.environment import environment
from marketplace.git.errors import RepositoryDamaged
from marketplace.git.failures import failure_of
from marketplace.git.running import GitExited, Limits, kill_group, run_git
from marketplace.plugins import limits as parsing_limits
from marketplace.plugins.errors import FileUnreadable, TreeTooLarge
from marketplace.plugins.trees.tree import Entry, EntryKind

LISTING_CHUNK = 1 << 20
# Of a whole commit: names, modes and sizes.
LISTING_BYTES = 64 << 20
# Larger files are read from a process of their own, which is ended after what was asked for.
BATCH_BYTES = 8 << 20
# No system follows a longer one.
LINK_BYTES = 4096
_SYMLINK, _SUBMODULE, _EXECUTABLE = b"120000", b"160000", b"100755"


class _Blob(NamedTuple):
    id: str
    size: int
    mode: bytes


class CommitTree:
    """Open it with `with`: reading keeps a git process."""

    def __init__(self, repository: Path, commit: str, limits: Limits) -> None:
        self._repository = repository
        self._commit = commit
        self._limits = limits
        self._environment = environment(repository)
        self._batch: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._batch:
            kill_group(self._batch)
            for pipe in (self._batch.stdin, self._batch.stdout):
                if pipe:
                    pipe.close()

    def entries(self) -> Iterator[Entry]:
        for path, blob in self._blobs.items():
            if blob.mode == _SYMLINK:
                yield Entry(path, kind=EntryKind.SYMLINK, target=self._target(blob))
            elif blob.mode == _SUBMODULE:
                yield Entry(path, kind=EntryKind.SUBMODULE)
            else:
                yield Entry(path, blob.size, is_executable=blob.mode == _EXECUTABLE)

    def read(self, path: str, limit: int) -> bytes:
        self._limits.keep_alive()
        blob = self._blobs.get(path)
        if blob is None or blob.mode == _SUBMODULE:
            raise FileUnreadable("The commit holds no such file.")
        if blob.size <= BATCH_BYTES:
            return self._batched(blob)[:limit]
        return self._streamed(blob, limit)

    def digest(self, folder: str) -> str:
        """Changes exactly when anything below `folder` ('' = the root) does."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self._below(folder):
            digest.update(f"{path}\0{self.identity(path)}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def identity(self, path: str) -> str:
        """Of a file's content and mode, without reading it."""
        blob = self._blobs[path]
        return f"{blob.mode.decode()} {blob.id}"

    def has_links(self, folder: str) -> bool:
        """Whether what stands below `folder` may be elsewhere: it is reached by a symlink, or holds one."""
        below = list(self._below(folder))
        return not below or any(self._blobs[path].mode == _SYMLINK for path in below)

    def _below(self, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        for number in range(bisect_left(self._paths, prefix), len(self._paths)):
            if not self._paths[number].startswith(prefix):
                return
            yield self._paths[number]

    @cached_property
    def _blobs(self) -> dict[str, _Blob]:
        try:
            args = ["ls-tree", "-r", "-z", "-l", "--full-tree", self._commit]
            with run_git(args, self._environment, self._limits) as listing:
                return dict(_read_listing(listing))
        except GitExited as exited:
            raise failure_of(exited.said) from None

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self._blobs)

    def _target(self, link: _Blob) -> str:
        """'' for one that is too long to lead anywhere, which is not read."""
        if link.size > LINK_BYTES:
            return ""
        return self._batched(link).decode("utf-8", "surrogateescape")

    def _batched(self, blob: _Blob) -> bytes:
        if self._batch is None:
            self._batch = self._start("cat-file", "--batch", takes_input=True)
        assert self._batch.stdin is not None
        assert self._batch.stdout is not None
        try:
            self._batch.stdin.write(f"{blob.id}\n".encode())
            self._batch.stdin.flush()
            header = self._batch.stdout.readline().split()
            content = self._batch.stdout.read(blob.size + 1) if len(header) == 3 else b""
        except OSError as error:
            raise RepositoryDamaged from error
        if len(content) != blob.size + 1:
            raise RepositoryDamaged
        return content[:-1]

    def _streamed(self, blob: _Blob, limit: int) -> bytes:
        process = self._start("cat-file", "blob", blob.id)
        assert process.stdout is not None
        try:
            content = process.stdout.read(limit)
        finally:
            kill_group(process)
            process.stdout.close()
        if len(content) != min(limit, blob.size):
            raise RepositoryDamaged
        return content

    def _start(self, *args: str, takes_input: bool = False) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["git", *args],
            env=self._environment,
            cwd=self._repository,
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _read_listing(listing: IO[bytes]) -> Iterator[tuple[str, _Blob]]:
    """Lines `mode type id size TAB path`, each ended by a NUL. A submodule has `-` for a size."""
    if listing.seek(0, os.SEEK_END) > LISTING_BYTES:
        raise TreeTooLarge(f"The list of its files is longer than {LISTING_BYTES} bytes.")
    listing.seek(0)
    for number, line in enumerate(_lines(listing)):
        if number >= parsing_limits.ENTRIES:
            raise TreeTooLarge(f"The repository has more than {parsing_limits.ENTRIES} files.")
        described, _, path = line.partition(b"\t")
        mode, _, id, size = described.split()
        bytes_ = 0 if size == b"-" else int(size)
        yield path.decode("utf-8", "surrogateescape"), _Blob(id.decode(), bytes_, mode)


def _lines(listing: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := listing.read(LISTING_CHUNK):
        *lines, rest = (rest + chunk).split(b"\0")
        yield from lines
