"""The transcripts on this machine, and which belong to a workspace."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from agnes.cli import claude

SUFFIX = ".jsonl"
AGENT = "agent-"
SUBAGENTS = "subagents"
# So far into a file its folder and its session are looked for; they stand on one of the first lines.
LOOK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """`session` is '' where only the content tells it: a subagent's of an old version."""

    path: str
    project: str
    session: str
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:
        """Below the folder of its project, which nobody is told."""
        path = Path(self.path)
        return path.relative_to(next(it for it in path.parents if it.name == self.project)).as_posix()


def find(projects: Path | None = None, *, workspace: str | None = None) -> Iterator[Transcript]:
    """All, or those that by their folder's name may be of a workspace."""
    for entry in _entries(projects or claude.projects_folder()):
        if not entry.is_dir():
            continue
        if workspace is None or any(claude.may_be_project_of(entry.name, it) for it in spellings(workspace)):
            yield from _of_project(entry)


def of_path(path: Path) -> Iterator[Transcript]:
    """A session's main transcript, and those of its subagents."""
    session = path.name.removesuffix(SUFFIX)
    for found in (path, *sorted((path.parent / session / SUBAGENTS).glob(f"**/{AGENT}*{SUFFIX}"))):
        try:
            status = found.stat()
        except OSError:
            continue
        yield Transcript(str(found), path.parent.name, session, status.st_size, status.st_mtime_ns)


def spellings(workspace: str) -> set[str]:
    """Claude Code may know a folder with its links, or without."""
    return {os.path.abspath(workspace), os.path.realpath(workspace)}


@lru_cache(10_000)
def is_within(folder: str, workspace: str) -> bool:
    """Whether a folder is the workspace, or below it. Below the home folder lies everything, which nobody
    means by it."""
    if not os.path.isabs(folder):
        # Of another system.
        return False
    inner = {os.path.normcase(it) for it in spellings(folder)}
    outer = {os.path.normcase(it).rstrip(os.sep) for it in spellings(workspace)}
    if inner & outer:
        return True
    home = os.path.normcase(os.path.realpath(Path.home()))
    if any(f"{home}{os.sep}".startswith(each + os.sep) for each in outer):
        return False
    return any(it.startswith(each + os.sep) for it in inner for each in outer)


@dataclass(frozen=True)
class Origin:
    """What the first lines say. '' where none of them does."""

    session: str
    folder: str


def origin_of(path: str) -> Origin:
    """Raises OSError."""
    session = folder = ""
    read = 0
    with open(path, "rb") as file:
        for line in file:
            read += len(line)
            record = _object(line)
            session = session or _text(record.get("sessionId"))
            folder = folder or _text(record.get("cwd"))
            if (session and folder) or read > LOOK_BYTES:
                break
    return Origin(session, folder)


def beginning_ns(path: str) -> int:
    """When its first record was written, as file times are told; 0 where that is not known."""
    read = 0
    try:
        with open(path, "rb") as file:
            for line in file:
                read += len(line)
                if moment := _text(_object(line).get("timestamp")):
                    return int(datetime.fromisoformat(moment).timestamp()) * 10**9
                if read > LOOK_BYTES:
                    break
    except (OSError, ValueError):
        pass
    return 0


def _of_project(project: os.DirEntry[str]) -> Iterator[Transcript]:
    for entry in _entries(project):
        if entry.name.endswith(SUFFIX):
            stem = entry.name.removesuffix(SUFFIX)
            yield from _transcript(entry, project.name, "" if stem.startswith(AGENT) else stem)
        elif entry.is_dir(follow_symlinks=False):
            yield from _subagents(Path(entry.path, SUBAGENTS), project.name, entry.name)


def _subagents(folder: Path, project: str, session: str) -> Iterator[Transcript]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _subagents(Path(entry.path), project, session)
        elif entry.name.startswith(AGENT) and entry.name.endswith(SUFFIX):
            yield from _transcript(entry, project, session)


def _transcript(entry: os.DirEntry[str], project: str, session: str) -> Iterator[Transcript]:
    try:
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            yield Transcript(entry.path, project, session, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        # Claude Code has just removed it.
        return


def _entries(folder: "Path | os.DirEntry[str]") -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda it: it.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _object(line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
