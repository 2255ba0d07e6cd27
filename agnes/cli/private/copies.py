"""A transcript without copies of private sessions' records.

Of a transcript that holds some, only its own records leave. What is no record (titles, last prompts, queues)
may tell of the private ones, and so may the summary after a compaction: none of that is counted, and none
leaves.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from agnes.cli.private.records import candidates, documents, hash_of


class CopyFilter:
    """`sessions` and `records` are those of all private sessions."""

    def __init__(self, sessions: Collection[str], records: Collection[str]) -> None:
        self._sessions = frozenset(sessions)
        self._records = frozenset(records)
        self._marks = [session.encode() for session in self._sessions]

    def passing(self, lines: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
        """`lines` is called twice where something is private: first it is found out whether any is."""
        if self._sessions and any(self._may_hold_private(line) for line in lines()):
            return (line for line in lines() if self._is_own(line))
        return iter(lines())

    def _may_hold_private(self, line: bytes) -> bool:
        return any(mark in line for mark in self._marks) or not self._records.isdisjoint(candidates(line))

    def _is_own(self, line: bytes) -> bool:
        found = documents(line)
        # A line that cannot be read cannot be cleared.
        return bool(found) and all(self._is_own_record(value) for value in found or ())

    def _is_own_record(self, value: dict[str, Any]) -> bool:
        uuid = value.get("uuid")
        return (
            isinstance(uuid, str)
            and hash_of(uuid) not in self._records
            and value.get("sessionId") not in self._sessions
            and value.get("isCompactSummary") is not True
            and value.get("type") != "summary"
        )
