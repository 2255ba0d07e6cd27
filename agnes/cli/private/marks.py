"""The list of private sessions: one file each, so that marking one is a single step that nothing interrupts.

It holds no content: ids, and hashes of the ids of records.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agnes.cli import folders
from agnes.cli.errors import LocalTrouble

PLAIN = re.compile(r"[a-z0-9-]{1,60}", re.ASCII)
BY_YOU, BY_SERVER = "you", "server"


@dataclass(frozen=True)
class Mark:
    """`records` are the session's own, as hashes; `files` are those that they were read from, with size and
    time of change. `told` says which accounts' servers know of it, and since when."""

    session: str
    at: str
    by: str = BY_YOU
    records: list[str] = field(default_factory=list)
    files: dict[str, list[int]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


def is_marked(session: str) -> bool:
    return _path(session).exists()


class Marked:
    """Which sessions are private, as of now: for many questions at once."""

    def __init__(self) -> None:
        try:
            self._names = frozenset(it for it in os.listdir(_folder()) if it.endswith(".json"))
        except FileNotFoundError:
            self._names = frozenset()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marked) and self._names == other._names

    def __hash__(self) -> int:
        return hash(self._names)

    def __contains__(self, session: str) -> bool:
        return bool(self._names) and _name(session) in self._names


def read_mark(session: str) -> Mark | None:
    """Raises LocalTrouble."""
    text = folders.read_text(_path(session))
    return None if text is None else _read(text, _path(session))


def marks() -> list[Mark]:
    """Raises LocalTrouble: where one cannot be read, nothing may leave."""
    return list(_marks())


def mark(session: str, *, by: str = BY_YOU) -> Mark:
    """From now on it stays here; marking it again changes nothing."""
    known = read_mark(session)
    if known:
        return known
    made = Mark(session, datetime.now(UTC).isoformat(timespec="seconds"), by)
    save(made)
    return made


def save(mark: Mark) -> None:
    folders.write_private(_path(mark.session), json.dumps(asdict(mark)))


def note_told(session: str, account: str) -> None:
    """The server of this account knows it."""
    known = read_mark(session)
    if known and account not in known.told:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        save(replace(known, told={**known.told, account: now}))


def unmark(session: str) -> None:
    _path(session).unlink(missing_ok=True)


def _marks() -> Iterator[Mark]:
    try:
        paths = sorted(_folder().glob("*.json"))
    except FileNotFoundError:
        return
    for path in paths:
        text = folders.read_text(path)
        # It was taken back in this moment.
        if text is not None:
            yield _read(text, path)


def _read(text: str, path: Path) -> Mark:
    try:
        values: Any = json.loads(text)
        return Mark(**values)
    except (ValueError, TypeError) as error:
        raise LocalTrouble(
            f"{path} is damaged, so which session is private is not known, and nothing is sent.",
            "Restore it, or remove it and mark the session again: its name is that of the session.",
        ) from error


def _path(session: str) -> Path:
    return _folder() / _name(session)


def _name(session: str) -> str:
    """Whatever an id holds: it comes from files. Letters are small, since some systems take both for one."""
    if PLAIN.fullmatch(session):
        return f"{session}.json"
    return f"{hashlib.sha256(session.encode('utf-8', 'surrogatepass')).hexdigest()}.json"


def _folder() -> Path:
    return folders.state_folder() / "private"
