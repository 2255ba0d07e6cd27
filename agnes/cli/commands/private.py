"""agnes mark-private"""

from typing import Annotated

import typer

from agnes.cli.errors import LocalTrouble, NotLoggedIn, ServerAway
from agnes.cli.output import as_json, plural, say
from agnes.cli.private import marking
from agnes.cli.private.marking import Marked
from agnes.cli.push import locking

UNDO_SECONDS = 30.0

Session = Annotated[
    str | None, typer.Argument(help="Its id, the beginning of it, or its file; else the current session.")
]
Undo = Annotated[bool, typer.Option("--undo", help="Take it back, as long as nothing of it was removed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    app.command("mark-private")(mark_private)


def mark_private(session: Session = None, undo: Undo = False, json: Json = False) -> None:
    """Keep a session and its subagents on this machine, for good.

    The server removes what it has of it, and refuses it from then on, from any machine of yours.
    """
    found = marking.find_session(session)
    if undo:
        _take_back(found, json=json)
        return
    marked = marking.make_private(found)
    if json:
        as_json(_described(marked))
        return
    say(f"{marked.session} is private from now on, with its subagents.")
    if not marked.files:
        say("No file of it is on this machine.")
    say(_told(marked))
    if marked.sharing:
        say(
            f"{plural(len(marked.sharing), 'other session')} "
            f"{'shares' if len(marked.sharing) == 1 else 'share'} records with it "
            f"({', '.join(marked.sharing)}): these records stay out, the rest of them does not. "
            "Mark them too if it should."
        )


def _take_back(session: str, *, json: bool) -> None:
    with locking.push_lock(seconds=UNDO_SECONDS) as is_free:
        if not is_free:
            raise LocalTrouble("A push is under way.", "Try again when it has ended.")
        marking.take_back(session)
    if json:
        as_json({"session": session, "private": False})
    else:
        say(f"{session} is no longer private: the next push sends it.")


def _told(marked: Marked) -> str:
    if marked.removed is not None:
        gone = marked.removed.get("transcripts") or 0
        what = f"removed {plural(gone, 'transcript')} of it" if gone else "had nothing of it"
        rest = "" if marked.removed.get("complete", True) else " It is still removing what remains."
        return f"The server {what}, and refuses it from now on.{rest}"
    if isinstance(marked.why_not, NotLoggedIn):
        return "You are not logged in: the server is told with the first push after you are."
    if isinstance(marked.why_not, ServerAway):
        return "The server cannot be reached now: it is told with the next push."
    assert marked.why_not is not None
    return f"The server was not told yet: {marked.why_not.message} {marked.why_not.hint}"


def _described(marked: Marked) -> dict[str, object]:
    return {
        "session": marked.session,
        "private": True,
        "files": marked.files,
        "server_told": marked.removed is not None,
        "removed": marked.removed,
        "why_not": marked.why_not and marked.why_not.message,
        "sharing": marked.sharing,
    }
