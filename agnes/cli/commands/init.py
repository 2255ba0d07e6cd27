"""agnes init"""

import os
import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from agnes.cli import config
from agnes.cli.api import Api
from agnes.cli.commands.login import read_token
from agnes.cli.errors import ClientError
from agnes.cli.output import as_json, say, warn
from agnes.cli.setup import marketplace, workspace
from agnes.cli.setup.workspace import Place, Scope
from agnes.cli.workspaces import workspace_of

Where = Annotated[
    Scope,
    typer.Option(
        "--scope",
        help="project: for all who have this workspace; local: for you in it; user: for you everywhere.",
    ),
]
Remove = Annotated[bool, typer.Option("--remove", help="Take out again what was written.")]
Market = Annotated[
    bool | None,
    typer.Option("--marketplace/--no-marketplace", help="Add your own marketplace to Claude Code."),
]
WithToken = Annotated[
    bool,
    typer.Option("--with-token", help="For the marketplace, take a token of that scope from the input."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    scope: Where = Scope.PROJECT,
    remove: Remove = False,
    market: Market = None,
    with_token: WithToken = False,
    json: Json = False,
) -> None:
    """Have sessions of this workspace sent by themselves: writes hooks and /agnes-private for Claude Code.

    What is there stays. Run again, it changes nothing.
    """
    place = Place.of(scope, Path(workspace_of(os.getcwd())))
    changed = workspace.take_out(place) if remove else workspace.set_up(place)
    if json:
        as_json({"scope": scope.value, "settings": place.settings, "changed": changed})
    else:
        _show(place, changed, remove=remove)
    if not remove:
        _offer_marketplace(market, with_token=with_token, quiet=json)


def _show(place: Place, changed: list[Path], *, remove: bool) -> None:
    for path in changed:
        say(f"{'Cleared' if remove else 'Wrote'} {path}")
    if remove:
        say("Sessions are no longer sent by themselves." if changed else "There was nothing to take out.")
        return
    if not changed:
        say("It is set up already.")
    say("Sessions are sent when they end. `/agnes-private` in one keeps it here.")
    try:
        config.login()
    except ClientError as error:
        warn(error.text)


def _offer_marketplace(wanted: bool | None, *, with_token: bool, quiet: bool) -> None:
    if wanted is False or (wanted is None and (quiet or not sys.stdin.isatty())):
        return
    try:
        login = config.login()
    except ClientError:
        if wanted:
            raise
        return
    with Api.of(login) as api:
        address = marketplace.address(api)
    if marketplace.is_known(address):
        say("Claude Code has your marketplace already.")
        return
    if wanted is None and not typer.confirm("Add your own marketplace to Claude Code?", default=True):
        return
    marketplace.add(address, _marketplace_token(login.server, with_token=with_token))
    say("Claude Code has your marketplace now: `agnes market list` shows what there is for it.")


def _marketplace_token(server: str, *, with_token: bool) -> str:
    """One of its own, that can do nothing else: Claude Code keeps it in clear."""
    return read_token(
        server,
        scopes=["marketplace"],
        name=f"Claude Code on {platform.node() or 'a machine'}",
        with_token=with_token,
    )
