"""One's own marketplace of the server, in Claude Code on this machine."""

import json
import shlex
import subprocess
from typing import Any
from urllib.parse import urlsplit

from agnes.cli import claude
from agnes.cli.api import Api
from agnes.cli.errors import ClientError, LocalTrouble, NotFound

# What the server's line has in place of a token (docs/INSTALLING.md).
PLACEHOLDER = "TOKEN"
SECONDS = 180


def address(api: Api) -> str:
    """With the placeholder. Raises ClientError."""
    line: str = api.get("/marketplace/stack")["install"][0]
    return shlex.split(line)[-1]


def name(api: Api) -> str:
    """As Claude Code knows it."""
    line: str = api.get("/marketplace/stack")["install"][1]
    return shlex.split(line)[-1].rpartition("@")[2]


def is_known(address: str) -> bool:
    """Whether Claude Code has it, with whatever token."""
    wanted = _without_token(address)
    try:
        path = claude.config_folder() / "plugins" / "known_marketplaces.json"
        known: Any = json.loads(path.read_text(encoding="utf-8"))
        addresses = [each["source"].get("url", "") for each in known.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return any(_without_token(each) == wanted for each in addresses if isinstance(each, str))


def add(address: str, token: str) -> None:
    """Claude Code keeps the address with the token in clear, so the token may do nothing else. Raises
    ClientError."""
    run("marketplace", "add", address.replace(f":{PLACEHOLDER}@", f":{token}@", 1), secret=token)


def run(*arguments: str, secret: str = "") -> str:
    """`claude plugin …`. Raises ClientError."""
    command = claude.command()
    if command is None:
        raise NotFound("Claude Code's command `claude` is not on the PATH.", "Install it, or add it there.")
    try:
        done = subprocess.run(
            [command, "plugin", *arguments],
            capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalTrouble(f"`claude plugin` did not work: {type(error).__name__}.", "Try again.") from error
    if done.returncode:
        told = (done.stderr or done.stdout).strip()
        if secret:
            told = told.replace(secret, PLACEHOLDER)
        raise ClientError(f"`claude plugin {arguments[0]}` failed: {told[-500:]}")
    return done.stdout


def _without_token(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.netloc.rpartition("@")[2], parts.path
