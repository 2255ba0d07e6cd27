"""All that waits, to the server. Nothing is forgotten before the server has it, or refuses it for good."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from agnes.cli import transcripts
from agnes.cli.accounts import with_account
from agnes.cli.api import Api, Patience
from agnes.cli.config import Login
from agnes.cli.errors import ClientError, Refused, ServerAway
from agnes.cli.private import telling
from agnes.cli.private.current import CurrentCopies
from agnes.cli.push.ledger import Ledger, open_ledger
from agnes.cli.push.sending import Outcome, Sender, Sent
from agnes.cli.push.waiting import Finder, Waiting
from agnes.cli.transcripts import Transcript

# So many that fail one after another say that it is the server, and not the transcripts.
FAILURES = 3
OnSent = Callable[[Transcript, Sent], None]


@dataclass(frozen=True)
class Wish:
    """What is to be pushed: a workspace or, for None, all; and the sessions whose files are `more`, wherever
    these lie. `skip` is a session that has just begun. `again`: what was refused before, too."""

    workspace: str | None
    more: tuple[str, ...] = ()
    skip: str | None = None
    again: bool = False

    def as_text(self) -> str:
        return json.dumps([self.workspace, self.more, self.skip, self.again])

    @classmethod
    def of_text(cls, text: str) -> Self:
        workspace, more, skip, again = json.loads(text)
        return cls(workspace, tuple(more), skip, again)


@dataclass
class Report:
    """`left` are those that still wait; `stopped` is why, where it was not done to the end; `untold` why a
    private session could not be removed from the server yet."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    redacted: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    known: int = 0
    told: int = 0
    left: int = 0
    stopped: ClientError | None = None
    untold: ClientError | None = None

    def add(self, transcript: Transcript, sent: Sent) -> None:
        self.outcomes[sent.outcome] += 1
        self.bytes += sent.bytes
        self.redacted += sent.redacted
        if sent.outcome == Outcome.REFUSED:
            self.refused[transcript.name] = sent.reason

    def as_dict(self) -> dict[str, Any]:
        return {
            **{it.value: self.outcomes[it] for it in Outcome if it != Outcome.REFUSED},
            "refused": [{"name": name, "reason": reason} for name, reason in self.refused.items()],
            "redacted": dict(self.redacted),
            "bytes": self.bytes,
            "known": self.known,
            "told_private": self.told,
            "left": self.left,
            "error": _sentence(self.stopped or self.untold),
        }


def look(login: Login, wish: Wish) -> Waiting:
    """What a push would send. Raises ClientError."""
    with _opened(login) as push_:
        return push_.find(wish)[1]


def push(login: Login, wish: Wish, on_sent: OnSent = lambda *_: None) -> Report:
    """Ends early where the server is away: the report says why. Raises ClientError before it begins."""
    with _opened(login) as push_:
        return push_.run(wish, on_sent)


def may_try(login: Login) -> bool:
    """Whether the server has not asked to be left alone for longer."""
    if login.account is None:
        return True
    with open_ledger(login.key) as ledger:
        return float(ledger.notes().get("not_before") or 0) <= time.time()


@contextmanager
def _opened(login: Login) -> "Iterator[_Push]":
    """Nothing is connected before something is to be sent."""
    with Api.of(login, patience=Patience.of_a_push()) as api:
        known = with_account(login, api)
        with open_ledger(known.key) as ledger:
            yield _Push(api, ledger, known.key)


class _Push:
    def __init__(self, api: Api, ledger: Ledger, account: str) -> None:
        self._api = api
        self._ledger = ledger
        self._account = account

    def find(self, wish: Wish) -> tuple[Finder, Waiting]:
        finder = Finder(self._ledger)
        more = [it for path in wish.more for it in transcripts.of_path(Path(path))]
        waiting = finder.find(wish.workspace, more=more, again=wish.again)
        waiting.transcripts = [it for it in waiting.transcripts if it.session != wish.skip]
        return finder, waiting

    def run(self, wish: Wish, on_sent: OnSent) -> Report:
        report = Report()
        try:
            self._tell(report)
            finder, waiting = self.find(wish)
            report.known = waiting.known + waiting.refused
            report.outcomes[Outcome.PRIVATE] = waiting.private
            report.left = len(waiting.transcripts)
            if waiting.transcripts:
                self._send_all(finder, waiting.transcripts, report, on_sent)
                # One may have been marked while it was on its way.
                self._tell(report)
        except ClientError as error:
            report.stopped = error
        self._note(report)
        return report

    def _tell(self, report: Report) -> None:
        for mark in telling.untold(self._account):
            try:
                telling.tell(self._api, mark, self._account)
                report.told += 1
            except Refused as error:
                report.untold = error

    def _send_all(
        self, finder: Finder, waiting: Iterable[Transcript], report: Report, on_sent: OnSent
    ) -> None:
        sender = Sender(self._api, self._ledger, self._account, CurrentCopies())
        failures = 0
        for transcript in waiting:
            try:
                sent = sender.send(transcript, finder.entry(transcript.path))
            except ServerAway as error:
                failures += 1
                if failures == FAILURES or not error.may_be_of_one:
                    raise
                report.stopped = error
                continue
            failures = 0
            report.left -= 1
            report.add(transcript, sent)
            on_sent(transcript, sent)

    def _note(self, report: Report) -> None:
        now = datetime.now(UTC)
        error = report.stopped
        pause = error.retry_after if isinstance(error, ServerAway) else None
        self._ledger.note(
            {
                "last_push": now.isoformat(timespec="seconds"),
                "last_error": _sentence(error),
                "not_before": now.timestamp() + pause if pause else 0,
            }
        )


def _sentence(error: ClientError | None) -> str | None:
    return error.text if error else None
