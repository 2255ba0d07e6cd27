"""What `agnes mark-private` does."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agnes.cli import claude, config, transcripts
from agnes.cli.accounts import with_account
from agnes.cli.api import Api
from agnes.cli.errors import ClientError, NotFound, Refused, WrongInput
from agnes.cli.private import marks, records, telling
from agnes.cli.private.marks import Mark
from agnes.cli.push.ledger import open_ledger
from agnes.cli.transcripts import SUFFIX, Transcript

# As Claude Code makes them: a UUID.
WHOLE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Marked:
    """`files` are those of the session on this machine; `removed` is what the server says that it removed,
    None where it was not told, and `why_not` why. `sharing` are other sessions with records of it."""

    session: str
    files: int
    removed: dict[str, Any] | None
    why_not: ClientError | None
    sharing: list[str] = field(default_factory=list)


def find_session(given: str | None) -> str:
    """An id, the beginning of one, or a file; else the session that this runs in. Raises ClientError."""
    if given is None:
        current = claude.current_session()
        if current is None:
            raise WrongInput(
                "Which session?", "Name it, or run this in a session of Claude Code: `! agnes mark-private`."
            )
        return current
    if given.endswith(SUFFIX) or "/" in given or "\\" in given:
        return _session_of(Path(given))
    known = {it.session for it in transcripts.find()} | {it.session for it in marks.marks()}
    if given in known:
        return given
    matching = sorted(it for it in known if given and it.startswith(given))
    if len(matching) > 1:
        raise WrongInput(f"{given} begins several sessions: {', '.join(matching)}.", "Give more of it.")
    if matching:
        return matching[0]
    if not WHOLE_ID.fullmatch(given):
        raise NotFound(
            f"No session on this machine begins with {given!r}.",
            "Look again; of one on another machine give the whole id.",
        )
    # One that is on another machine has no file here.
    return given


def make_private(session: str) -> Marked:
    """First here, which needs nobody; then on the server, if it can be told now. Raises LocalTrouble."""
    mark = marks.mark(session)
    found = list(transcripts.find())
    own = [it for it in found if it.session == session]
    mark = records.note_records(mark, own)
    removed, why_not = _tell(mark)
    return Marked(session, len(own), removed, why_not, records.sharing_with(mark, _later_than(own, found)))


def take_back(session: str) -> None:
    """As long as nothing was removed: a server that knows of it is asked. Raises ClientError."""
    mark = marks.read_mark(session)
    if mark is None:
        raise NotFound(f"{session} is not private.", "`agnes status` shows what is.")
    if mark.told:
        _ask_back(mark)
    marks.unmark(session)
    # What was known of it is looked at anew.
    with open_ledger("") as ledger:
        ledger.forget_session(session)


def _ask_back(mark: Mark) -> None:
    login = config.login()
    with Api.of(login) as api:
        account = with_account(login, api).key
        if set(mark.told) != {account}:
            raise Refused(
                f"The server of another account knows {mark.session} as private.",
                "Log in as that one to take it back.",
            )
        # Should this process be killed in between, the next push tells the server once more.
        marks.save(replace(mark, told={}))
        try:
            telling.take_back(api, mark)
        except ClientError:
            marks.save(mark)
            raise


def _tell(mark: Mark) -> tuple[dict[str, Any] | None, ClientError | None]:
    try:
        login = config.login()
        with Api.of(login) as api:
            login = with_account(login, api)
            return telling.tell(api, mark, login.key), None
    except ClientError as error:
        return None, error


def _later_than(own: list[Transcript], found: list[Transcript]) -> list[Transcript]:
    """A copy of its records was written after it began."""
    began = min((transcripts.beginning_ns(it.path) for it in own), default=0)
    return [it for it in found if it.mtime_ns >= began]


def _session_of(path: Path) -> str:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", "Give the id of a session, or the file of one.")
    return transcripts.origin_of(str(path)).session or path.name.removesuffix(SUFFIX)
