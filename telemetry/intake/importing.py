"""Import a folder of transcripts such as ~/.claude/projects, several files at a time.

In threads, because hashing, compressing and syncing let go of Python's lock. Measured on two cores with
SQLite: two processes are a quarter faster with files of 500 kB, and half as fast with files of 20 kB, where
they wait for each other's commits.
"""

import contextvars
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from django.db import connections

from accounts.errors import AgnesError
from accounts.models import User
from telemetry.files.storage import CHUNK_BYTES
from telemetry.intake.comparing import Status
from telemetry.intake.names import SUFFIX
from telemetry.intake.storing import store_transcript

WORKERS = 2


@dataclass(frozen=True)
class SourceFile:
    """`name` is the path below the imported folder."""

    path: Path
    name: str
    size: int


@dataclass
class ImportReport:
    statuses: Counter[Status] = field(default_factory=Counter)
    # Name and reason, sorted by name.
    refused: list[tuple[str, str]] = field(default_factory=list)
    interrupted: bool = False


class Unreadable(AgnesError):
    """A file that this process may not or cannot read."""


class Stopped(Exception):
    """The import ends in the middle of a file, of which nothing is stored then."""


def find_transcripts(root: Path) -> list[SourceFile]:
    """Every *.jsonl below a folder, or the file itself. Links below it are not followed."""
    if not root.is_dir():
        return [SourceFile(root, root.name, root.stat().st_size)]
    return sorted(_walk(root, root), key=lambda file: file.name)


def _walk(root: Path, folder: Path) -> Iterator[SourceFile]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        # Taken for a file, so that the import says why it cannot be read.
        entries = []
        yield SourceFile(folder, str(folder.relative_to(root)), 0)
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path)
        elif entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
            yield SourceFile(path, str(path.relative_to(root)), entry.stat(follow_symlinks=False).st_size)


def import_files(
    files: list[SourceFile], owner: User, *, on_read: Callable[[int], None] = lambda count: None
) -> ImportReport:
    """Store every file as the owner's. A KeyboardInterrupt ends the files that are under way, storing
    nothing of them; what was stored before stays. `on_read` is told how many bytes were read, by threads."""
    work = _Import(files, owner, on_read)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="import") as pool:
        # Each thread in the caller's context, which tells the audit log who imports.
        workers = [pool.submit(contextvars.copy_context().run, work.run) for _ in range(WORKERS)]
        try:
            for worker in workers:
                worker.result()
        except KeyboardInterrupt:
            work.report.interrupted = True
        finally:
            work.stop.set()
    for worker in workers:
        worker.result()
    work.report.refused.sort()
    return work.report


class _Import:
    def __init__(self, files: list[SourceFile], owner: User, on_read: Callable[[int], None]) -> None:
        self.files = deque(files)
        self.owner = owner
        self.on_read = on_read
        self.report = ImportReport()
        self.stop = Event()
        self.lock = Lock()

    def run(self) -> None:
        """One thread's work: file after file, until none is left."""
        try:
            while not self.stop.is_set() and (file := self._next()):
                self._import(file)
        except Stopped:
            pass
        finally:
            connections.close_all()

    def _next(self) -> SourceFile | None:
        with self.lock:
            return self.files.popleft() if self.files else None

    def _import(self, file: SourceFile) -> None:
        try:
            stored = store_transcript(self.owner, self._chunks(file), uploaded_name=file.name)
        except AgnesError as error:
            with self.lock:
                self.report.refused.append((file.name, error.message))
        else:
            with self.lock:
                self.report.statuses[stored.status] += 1

    def _chunks(self, file: SourceFile) -> Iterator[bytes]:
        try:
            with open(file.path, "rb", opener=_open_no_link) as opened:
                while chunk := opened.read(CHUNK_BYTES):
                    if self.stop.is_set():
                        raise Stopped
                    self.on_read(len(chunk))
                    yield chunk
        except OSError as error:
            raise Unreadable(f"Cannot be read: {error.strerror}.") from error


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
