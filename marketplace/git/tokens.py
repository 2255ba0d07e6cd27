"""The token of a private repository: its variable's name is stored, its value goes to one host."""

import os
import re
from base64 import b64encode

from marketplace.git.addresses import Address
from marketplace.git.errors import TokenRefused

PREFIX = "AGNES_GIT_TOKEN_"
NAME_LENGTH = 100
_NAME = re.compile(PREFIX + r"[A-Z0-9_]+")
_VALUE = re.compile(r"[\x21-\x7e]{1,4096}")


def check_name(name: str, address: Address) -> str:
    """'' for none. Raises TokenRefused."""
    name = name.strip()
    if not name:
        return ""
    if not _NAME.fullmatch(name) or len(name) > NAME_LENGTH:
        # The name is not quoted: somebody may have given the token itself.
        raise _refused(
            f"A token's variable must have a name like {PREFIX}TEAM.",
            f"Set such a variable where Agnes runs, and give its name here, not its value; {PREFIX}… only.",
        )
    if address.scheme != "https":
        raise _refused("A token is sent over https only.", "Use an https URL, or leave the token out.")
    return name


def read_token(name: str) -> str:
    """Raises TokenRefused where the environment has no such variable, or one that is no token."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise _refused(
            f"The environment variable {name} is not set where this process runs.",
            "Set it for the web server and the task worker (or in .env), and restart them.",
        )
    if not _VALUE.fullmatch(value):
        raise _refused(f"{name} holds spaces or other characters that no token has.", "Copy it anew.")
    return value


def header_of(token: str) -> str:
    """GitHub, GitLab, Gitea and Bitbucket take a token as the password of any name."""
    return "Authorization: Basic " + _encoded(token)


def masked(text: str, token: str) -> str:
    for secret in (token, _encoded(token)):
        text = text.replace(secret, "***")
    return text


def _encoded(token: str) -> str:
    return b64encode(f"x-access-token:{token}".encode()).decode()


def _refused(message: str, hint: str) -> TokenRefused:
    return TokenRefused(message, hint, {"token_env": message})
