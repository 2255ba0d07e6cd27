"""What `agnes status` shows: server, account, what was pushed, what waits, what stays."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agnes.cli import claude
from agnes.cli.accounts import ask_who, with_account
from agnes.cli.api import Api, Patience
from agnes.cli.config import Login
from agnes.cli.errors import ClientError
from agnes.cli.private.marks import Marked, marks
from agnes.cli.push.ledger import State, open_ledger
from agnes.cli.push.waiting import Finder
from agnes.cli.transcripts import Transcript

# So many days before Claude Code removes a transcript it is told of.
WARN_DAYS = 7
DAY = 86400


@dataclass(frozen=True)
class Status:
    """`me` is None where the server does not answer, and `why_not` says why. `expiring` are those that Claude
    Code removes within days, by how many."""

    login: Login
    me: dict[str, Any] | None
    why_not: ClientError | None
    last_push: datetime | None
    last_error: str | None
    sent: int
    redacted: int
    waiting_here: int
    waiting_elsewhere: int
    private: int
    untold: int
    refused: list[dict[str, str]]
    expiring: dict[str, int]


def status_of(login: Login, workspace: str) -> Status:
    """Raises ClientError."""
    with Api.of(login, patience=Patience(0)) as api:
        login = with_account(login, api)
        me, why_not = _ask(api)
    private = marks()
    with open_ledger(login.key) as ledger:
        entries, notes = ledger.entries(), ledger.notes()
        # What was sent before it was marked is there no more.
        marked = Marked()
        entries = {path: it for path, it in entries.items() if it.session not in marked}
        finder = Finder(ledger)
        here = finder.find(workspace).transcripts
        everywhere = finder.find(None).transcripts
    states = Counter(entry.state for entry in entries.values())
    refused = [
        {"path": path, "reason": entry.reason}
        for path, entry in sorted(entries.items())
        if entry.state == State.REFUSED
    ]
    return Status(
        login=login,
        me=me,
        why_not=why_not,
        last_push=datetime.fromisoformat(notes["last_push"]) if "last_push" in notes else None,
        last_error=notes.get("last_error"),
        sent=states[State.SENT],
        redacted=sum(entry.redacted for entry in entries.values()),
        waiting_here=len(here),
        waiting_elsewhere=len({it.path for it in everywhere} - {it.path for it in here}),
        private=len(private),
        untold=sum(login.key not in mark.told for mark in private),
        refused=refused,
        expiring=_expiring(everywhere),
    )


def _ask(api: Api) -> tuple[dict[str, Any] | None, ClientError | None]:
    try:
        return ask_who(api), None
    except ClientError as error:
        return None, error


def _expiring(waiting: list[Transcript]) -> dict[str, int]:
    kept = claude.cleanup_days()
    left = {it.name: int(kept - (time.time() - it.mtime_ns / 1e9) / DAY) for it in waiting}
    return {name: max(0, days) for name, days in left.items() if days < WARN_DAYS}
