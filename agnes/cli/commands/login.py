"""agnes login, logout"""

import platform
import sys
from typing import Annotated
from urllib.parse import urlencode

import typer

from agnes.cli import config
from agnes.cli.accounts import account_of, ask_who
from agnes.cli.api import Api
from agnes.cli.errors import ClientError, ServerAway, WrongInput
from agnes.cli.output import as_json, say, warn

SCOPES = ("upload", "read", "marketplace")

Server = Annotated[str, typer.Option("--server", help="Its address, such as https://agnes.example.com.")]
WithToken = Annotated[
    bool, typer.Option("--with-token", help="Take an access token from the input, not from the browser.")
]
Admin = Annotated[bool, typer.Option("--admin", help="Ask for the scope admin as well (staff only).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    app.command()(login)
    app.command()(logout)


def login(
    server: Server = "", with_token: WithToken = False, admin: Admin = False, json: Json = False
) -> None:
    """Log in to a server: with the browser, or with an access token that you paste or pipe in."""
    address = _server(server)
    scopes = [*SCOPES, "admin"] if admin else list(SCOPES)
    token = read_token(address, scopes=scopes, name=_name(), with_token=with_token)
    with Api(address, token) as api:
        me = ask_who(api)
    account = account_of(me)
    config.keep(config.Login(address, token, account))
    if json:
        as_json({"server": address, **me})
        return
    say(f"You are logged in to {address} as {account}.")
    if missing := [it for it in ("upload", "read") if it not in (me["scopes"] or ())]:
        warn(f"The token lacks the scope {' and '.join(missing)}: not everything will work with it.")


def logout() -> None:
    """Forget the access token, and have the server refuse it from now on."""
    try:
        found = config.login()
    except ClientError:
        config.forget()
        say("You are not logged in.")
        return
    config.forget()
    try:
        with Api.of(found) as api:
            api.json("DELETE", "/me/token")
    except ServerAway as error:
        warn(f"{error.message} The token still holds there: revoke it at {found.server}/tokens/.")
    except ClientError:
        # It holds no more, or the server knows no such request.
        pass
    say(f"You are logged out of {found.server}.")


def _server(given: str) -> str:
    address = config.read_server(given) if given else config.kept_server()
    if not address:
        raise WrongInput("Which server?", "Name it: `agnes login --server https://agnes.example.com`.")
    return address


def read_token(server: str, *, scopes: list[str], name: str, with_token: bool) -> str:
    """An access token, by the browser or from the input. Raises ClientError."""
    if with_token:
        return _typed_token(server, scopes, name)
    return _token_by_browser(server, scopes, name)


def _token_by_browser(server: str, scopes: list[str], name: str) -> str:
    def show(address: str) -> None:
        warn(f"Allow it in the browser. If none opens, open this address on this machine:\n\n  {address}\n")
        warn("Without a browser here, end this and add --with-token.")

    # It brings a web server along.
    from agnes.cli.handing_over import get_token

    return get_token(server, name=name, scopes=scopes, show=show)


def _typed_token(server: str, scopes: list[str], name: str) -> str:
    if sys.stdin.isatty():
        query = urlencode({"name": name, "scopes": scopes, "days": 365}, doseq=True)
        warn(f"Make an access token on this page, and paste it here:\n\n  {server}/tokens/?{query}\n")
        token: str = typer.prompt("Access token", hide_input=True, err=True)
    else:
        token = sys.stdin.readline()
    token = token.strip()
    # Whatever else was piped in shall not be sent anywhere.
    if not (token.startswith("agnes_") and token.isascii() and token.isprintable() and " " not in token):
        raise WrongInput("That is no access token of Agnes.", "It begins with agnes_ and has no spaces.")
    return token


def _name() -> str:
    return f"agnes on {platform.node() or 'a machine'}"
