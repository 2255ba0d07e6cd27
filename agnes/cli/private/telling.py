"""The server is told which sessions are private: it removes what it has, and refuses them from then on."""

from contextlib import suppress
from typing import Any

from agnes.cli import answers
from agnes.cli.api import Api, in_path
from agnes.cli.errors import NotFound, Refused, Withheld
from agnes.cli.private.marks import Mark, marks, note_told


def tell(api: Api, mark: Mark, account: str) -> dict[str, Any]:
    """It knows it for good then. Telling it again changes nothing. Returns what it removed. Raises
    ClientError."""
    try:
        removed = api.json("DELETE", f"/sessions/{in_path(mark.session)}")
    except NotFound as error:
        raise Refused(
            "The server cannot withhold sessions yet, so what it has of this one stays there.",
            "Ask an operator to upgrade it; here it stays private, and the server is told later.",
        ) from error
    if not isinstance(removed, dict) or "session_id" not in removed:
        raise answers.not_agnes(api.server)
    note_told(mark.session, account)
    return removed


def take_back(api: Api, mark: Mark) -> None:
    """Where nothing of it was removed. Raises Refused, and other ClientErrors."""
    # Where it does not refuse it, there is nothing to take back.
    with suppress(NotFound):
        try:
            api.json("POST", f"/sessions/{in_path(mark.session)}/readmit")
        except Withheld as error:
            raise Refused(
                f"{mark.session} stays private: the server has removed what it had of it.",
                "That cannot be undone.",
            ) from error


def untold(account: str) -> list[Mark]:
    """Those that this account's server does not know yet."""
    return [mark for mark in marks() if account not in mark.told]
