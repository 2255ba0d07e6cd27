"""One transcript to the server, and what that says of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from agnes.cli import answers
from agnes.cli.api import Api
from agnes.cli.errors import Refused, ServerAway, Withheld
from agnes.cli.private import marks
from agnes.cli.private.current import CurrentCopies
from agnes.cli.push.body import Body, made_of
from agnes.cli.push.ledger import Entry, Ledger, State
from agnes.cli.transcripts import Transcript

# What a broken connection looks like from the other side.
CORRUPT = "corrupt"
# The page of a proxy, on which somebody has to sign in: no word of Agnes on this transcript.
NOT_AGNES = ""
# Nothing but copies of private sessions: it may get something of its own.
ONLY_COPIES = "records_private"


class Outcome(StrEnum):
    SENT = "sent"
    # What would leave is what left before.
    SAME = "same"
    EMPTY = "empty"
    PRIVATE = "private"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True)
class Sent:
    outcome: Outcome
    reason: str = ""
    bytes: int = 0
    redacted: Counter[str] = field(default_factory=Counter)


class Sender:
    """Sends for one account. The ledger is written after each success."""

    def __init__(self, api: Api, ledger: Ledger, account: str, copies: CurrentCopies) -> None:
        self._api = api
        self._ledger = ledger
        self._account = account
        self._copies = copies

    def send(self, transcript: Transcript, before: Entry | None) -> Sent:
        """`before` is what the ledger has of it. Raises ServerAway, NotLoggedIn, NotAllowed, LocalTrouble."""
        # It may have been marked since the search began.
        if marks.is_marked(transcript.session):
            return Sent(Outcome.PRIVATE)
        try:
            with made_of(transcript.path, self._copies.filter()) as body:
                return self._send(transcript, body, before)
        except FileNotFoundError:
            return Sent(Outcome.GONE)

    def _send(self, transcript: Transcript, body: Body, before: Entry | None) -> Sent:
        if not body.has_messages:
            self._write(transcript, body, State.EMPTY)
            return Sent(Outcome.EMPTY)
        if before and before.state == State.SENT and before.sha256 == body.sha256:
            self._write(transcript, body, State.SENT)
            return Sent(Outcome.SAME)
        try:
            self._upload(transcript, body)
        except Withheld as error:
            if error.code == ONLY_COPIES:
                self._write(transcript, body, State.EMPTY)
                return Sent(Outcome.EMPTY)
            marks.mark(transcript.session, by=marks.BY_SERVER)
            marks.note_told(transcript.session, self._account)
            return Sent(Outcome.PRIVATE, error.message)
        except Refused as error:
            if error.code in (CORRUPT, NOT_AGNES):
                raise ServerAway(error.message, error.hint, may_be_of_one=True) from error
            reason = error.text
            self._write(transcript, body, State.REFUSED, reason)
            return Sent(Outcome.REFUSED, reason)
        self._write(transcript, body, State.SENT)
        return Sent(Outcome.SENT, bytes=body.length, redacted=body.redacted)

    def _upload(self, transcript: Transcript, body: Body) -> None:
        taken = self._api.json(
            "POST",
            "/upload/sessions",
            params={"name": transcript.name},
            headers={
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "gzip",
                "Content-Length": str(body.length),
            },
            content=body.chunks,
        )
        if not isinstance(taken, dict) or "session_id" not in taken:
            raise answers.not_agnes(self._api.server)

    def _write(self, transcript: Transcript, body: Body, state: State, reason: str = "") -> None:
        entry = Entry(
            body.size,
            body.mtime_ns,
            state,
            transcript.session,
            sha256=body.sha256,
            redacted=body.redacted.total(),
            reason=reason,
        )
        self._ledger.write(transcript.path, entry)
