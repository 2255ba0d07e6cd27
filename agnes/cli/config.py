"""Which server, whose account, which token: files of the config folder, or the environment.

AGNES_SERVER and AGNES_TOKEN come before what `agnes login` kept, for machines where nobody logs in.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agnes.cli import folders
from agnes.cli.errors import LocalTrouble, NotLoggedIn, WrongInput

SERVER, TOKEN = "AGNES_SERVER", "AGNES_TOKEN"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Account:
    id: int
    email: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email


@dataclass(frozen=True)
class Login:
    """`account` is None for a token of the environment that was not used on this machine yet."""

    server: str
    token: str = field(repr=False)
    account: Account | None = None

    @property
    def key(self) -> str:
        """Stands for this account on this server, whatever token it has."""
        assert self.account is not None
        return f"{self.server}#{self.account.id}"


def login() -> Login:
    """Raises NotLoggedIn, LocalTrouble."""
    kept = _kept()
    server = os.environ.get(SERVER) or kept.get("server")
    token = os.environ.get(TOKEN) or folders.read_text(_token_file())
    if not server or not token:
        raise NotLoggedIn("You are not logged in.", "Run `agnes login --server https://…`.")
    found = Login(read_server(server), token.strip())
    return Login(found.server, found.token, _known_account(kept, found))


def kept_server() -> str | None:
    """That of the last login."""
    server: str | None = os.environ.get(SERVER) or _kept().get("server")
    return server and read_server(server)


def keep(login: Login) -> None:
    """The token is written first: without it the rest is no login."""
    folders.write_private(_token_file(), f"{login.token}\n")
    folders.write_private(_file(), json.dumps({"server": login.server, **_remembered(login)}, indent=2))


def remember(login: Login) -> None:
    """Whose the token of the environment is, so that it need not be asked again."""
    folders.write_private(_file(), json.dumps({**_kept(), **_remembered(login)}, indent=2))


def forget() -> bool:
    """Whether there was a login. The server's address stays, for the next one."""
    was_there = _token_file().exists()
    _token_file().unlink(missing_ok=True)
    kept = _kept()
    if kept:
        folders.write_private(_file(), json.dumps({"server": kept.get("server")}, indent=2))
    return was_there


def read_server(text: str) -> str:
    """Without a slash at the end. Raises WrongInput."""
    text = text.strip().rstrip("/")
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise WrongInput(f"{text!r} is no address of a server.", "Use one such as https://agnes.example.com.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise WrongInput(
            f"{text} would send your access token in clear.",
            "Use https://; plain http:// is for this machine (localhost) only.",
        )
    return parts.geturl()


def is_loopback(host: str | None) -> bool:
    return host in LOOPBACK


def token_file_is_open() -> bool:
    """Whether others on this machine may read the token."""
    try:
        return os.name == "posix" and bool(_token_file().stat().st_mode & 0o077)
    except FileNotFoundError:
        return False


def close_token_file() -> None:
    _token_file().chmod(0o600)


def _known_account(kept: dict[str, Any], found: Login) -> Account | None:
    if kept.get("login") != _digest(found) or not isinstance(kept.get("account"), dict):
        return None
    return Account(**kept["account"])


def _remembered(login: Login) -> dict[str, Any]:
    assert login.account is not None
    return {"login": _digest(login), "account": asdict(login.account)}


def _digest(login: Login) -> str:
    """Which token on which server; nothing of the token can be had from it."""
    return hashlib.sha256(f"{login.server} {login.token}".encode()).hexdigest()[:32]


def _kept() -> dict[str, Any]:
    text = folders.read_text(_file())
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise LocalTrouble(f"{_file()} is damaged.", "Remove it, and run `agnes login` again.")
    return kept


def _file() -> Path:
    return folders.config_folder() / "config.json"


def _token_file() -> Path:
    return folders.config_folder() / "token"
