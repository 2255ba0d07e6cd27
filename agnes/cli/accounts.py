"""Whose account it is, as the server says."""

from typing import Any

from agnes.cli import answers, config
from agnes.cli.api import Api
from agnes.cli.config import Account, Login


def ask_who(api: Api) -> dict[str, Any]:
    """Account, scopes and end of the token. Raises ClientError."""
    me = api.get("/me")
    if not isinstance(me, dict) or not _is_account(me):
        raise answers.not_agnes(api.server)
    return {"scopes": None, "expires_at": None, **me}


def account_of(me: dict[str, Any]) -> Account:
    return Account(me["id"], me["email"], me["name"])


def with_account(login: Login, api: Api) -> Login:
    """Asks the server, the first time that a token of the environment is used here. Raises ClientError."""
    if login.account is not None:
        return login
    known = Login(login.server, login.token, account_of(ask_who(api)))
    config.remember(known)
    return known


def _is_account(me: dict[str, Any]) -> bool:
    kinds = {"id": int, "email": str, "name": str}
    return all(isinstance(me.get(name), kind) for name, kind in kinds.items())
