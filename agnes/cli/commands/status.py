"""agnes status"""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from agnes.cli import config
from agnes.cli.config import close_token_file, token_file_is_open
from agnes.cli.errors import NotLoggedIn
from agnes.cli.output import ago, as_json, plural, say, warn
from agnes.cli.status import Status, status_of
from agnes.cli.workspaces import workspace_of

EXPIRY_DAYS = 14

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(json: Json = False) -> None:
    """Show server and account, the last push, and what waits, stays private or was refused."""
    found = status_of(config.login(), workspace_of(os.getcwd()))
    if json:
        as_json(_described(found))
    else:
        _show(found)
    if token_file_is_open():
        close_token_file()
        warn("Others on this machine could read your access token. They cannot any more: make another one.")
    if isinstance(found.why_not, NotLoggedIn):
        raise found.why_not


def _show(found: Status) -> None:
    say(f"Server     {found.login.server}{_state(found)}")
    say(f"Account    {found.login.account}{_expiry(found)}")
    say(f"Last push  {ago(found.last_push) if found.last_push else 'never'}{_failed(found)}")
    say(f"Sent       {plural(found.sent, 'transcript')}, {plural(found.redacted, 'credential')} taken out")
    say(f"Waiting    {found.waiting_here} here, {found.waiting_elsewhere} in other workspaces")
    untold = f", {found.untold} of which the server does not know yet" if found.untold else ""
    say(f"Private    {plural(found.private, 'session')}{untold}")
    if found.refused:
        say(f"Refused    {plural(len(found.refused), 'transcript')}")
        for each in found.refused:
            say(f"           {each['path']}: {each['reason']}")
    if found.expiring:
        days = min(found.expiring.values())
        warn(
            f"{plural(len(found.expiring), 'transcript')} not sent yet will be removed by Claude Code, "
            f"the first in {plural(days, 'day')}. `agnes push --all` saves them."
        )


def _state(found: Status) -> str:
    return "" if found.why_not is None else f" (does not answer: {found.why_not.message})"


def _failed(found: Status) -> str:
    return f", and it failed: {found.last_error}" if found.last_error else ""


def _expiry(found: Status) -> str:
    expires_at = found.me and found.me["expires_at"]
    if not expires_at:
        return ""
    left = datetime.fromisoformat(expires_at) - datetime.now(UTC)
    return f" (the access token ends in {plural(left.days, 'day')})" if left.days < EXPIRY_DAYS else ""


def _described(found: Status) -> dict[str, object]:
    assert found.login.account is not None
    return {
        "server": found.login.server,
        "account": {"id": found.login.account.id, "email": found.login.account.email},
        "reachable": found.me is not None,
        "why_not": found.why_not and found.why_not.message,
        "scopes": found.me and found.me["scopes"],
        "token_expires_at": found.me and found.me["expires_at"],
        "last_push": found.last_push and found.last_push.isoformat(),
        "last_error": found.last_error,
        "sent": found.sent,
        "redacted": found.redacted,
        "waiting": {"here": found.waiting_here, "elsewhere": found.waiting_elsewhere},
        "private": found.private,
        "private_untold": found.untold,
        "refused": found.refused,
        "expiring": found.expiring,
    }
