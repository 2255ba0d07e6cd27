"""Whose account it is, where that is not known on this machine yet."""

from agnes.cli import config
from agnes.cli.api import Api
from agnes.cli.config import Account, Login


def with_account(login: Login, api: Api) -> Login:
    """Asks the server, the first time that a token of the environment is used here. Raises ClientError."""
    if login.account is not None:
        return login
    me = api.get("/me")
    known = Login(login.server, login.token, Account(me["id"], me["email"], me["name"]))
    config.remember(known)
    return known
