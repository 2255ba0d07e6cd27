"""Which records are in a transcript, as hashes of their ids; and which other sessions have some of them, too.

A fork copies records into a new file, with their ids and under another session. Nothing in it tells which of
two was first, so what a private session shares with another stays here in both.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from agnes.cli.private.marks import Mark, is_marked, save
from agnes.cli.push.lines import complete_lines
from agnes.cli.transcripts import Transcript

UUID = re.compile(rb'"uuid"\s*:\s*"([^"\\]{1,255})"')
_JSON = json.JSONDecoder()


def hash_of(uuid: str) -> str:
    return hashlib.blake2b(uuid.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def documents(line: bytes) -> list[dict[str, Any]] | None:
    """The objects of a line, of which there may be several; None where anything else is on it."""
    text = line.decode("utf-8", "replace")
    found, at = [], _skip_space(text, 0)
    while at < len(text):
        try:
            value, at = _JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        found.append(value)
        at = _skip_space(text, at)
    return found


def candidates(line: bytes) -> set[str]:
    """Of a line at a glance: hashes of all that may be a record's id."""
    return {hash_of(found.decode("utf-8", "replace")) for found in UUID.findall(line)}


def note_records(mark: Mark, files: Iterable[Transcript]) -> Mark:
    """The mark with the records that its session's files have now; saved, where these have changed."""
    now = {it.path: [it.size, it.mtime_ns] for it in files}
    if not now or now == mark.files:
        return mark
    found = {record for path in now for record in _records_of(path)}
    changed = replace(mark, records=sorted(found | set(mark.records)), files=now)
    # It may have been taken back meanwhile.
    if is_marked(mark.session):
        save(changed)
    return changed


def sharing_with(mark: Mark, transcripts: Iterable[Transcript]) -> list[str]:
    """Other sessions that hold records of it, and are not private."""
    own = set(mark.records)
    others = (it for it in transcripts if it.path not in mark.files and it.session != mark.session)
    sessions = {it.session or it.path for it in others if own and _holds_any(it.path, own)}
    return sorted(it for it in sessions if not is_marked(it))


def _records_of(path: str) -> Iterator[str]:
    for line in _lines(path):
        for value in documents(line) or ():
            if isinstance(uuid := value.get("uuid"), str):
                yield hash_of(uuid)


def _holds_any(path: str, records: set[str]) -> bool:
    return any(not records.isdisjoint(candidates(line)) for line in _lines(path))


def _lines(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from complete_lines(file, os.fstat(file.fileno()).st_size)
    except FileNotFoundError:
        # Claude Code has just removed it.
        return


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
