"""Which addresses and refs are fetched from at all: https, ssh and file URLs without credentials."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from marketplace.git.errors import AddressRefused, RefRefused

SCHEMES = ("https", "ssh", "file")
LENGTH = 500
REF_LENGTH = 255
_HOST = re.compile(r"(?!-)[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"(?!-)[A-Za-z0-9._-]+")
_PATH = re.compile(r"/[^\s\x00-\x1f\x7f?#\\]*")
_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)[\w./~-]+")
_REF = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/+@-]*[A-Za-z0-9_+-])?")
_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^/?#\s]*@")


@dataclass(frozen=True)
class Address:
    """The text is safe to store, to show and to give to git."""

    text: str
    scheme: str
    host: str

    @property
    def origin(self) -> str:
        """`https://host:port/`: what a token is for."""
        parts = urlsplit(self.text)
        return f"{parts.scheme}://{parts.netloc}/"


def read_address(text: str) -> Address:
    """Raises AddressRefused, which never quotes a password."""
    text = text.strip()
    if len(text) > LENGTH:
        raise _refused(f"The address is longer than {LENGTH} characters.", "Use a shorter one.")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise _refused("There are spaces or control characters in the address.", _EXAMPLES)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("The address is not a URL.", _EXAMPLES) from None
    _check_scheme(text, parts)
    _check_user(parts)
    shown_host = f"[{host}]" if ":" in host else host
    if not _PATH.fullmatch(parts.path) or parts.query or parts.fragment or port == 0:
        raise _refused("The address has no path, or a strange one.", _EXAMPLES)
    if parts.scheme == "file":
        _check_file(parts)
    elif not _HOST.fullmatch(shown_host) or parts.path.strip("/") == "":
        raise _refused("The address names no host and repository.", _EXAMPLES)
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path}", parts.scheme, shown_host)


_EXAMPLES = (
    "Use one like https://git.example.com/team/plugins.git, ssh://git@git.example.com/team/plugins.git, "
    "or file:///srv/plugins."
)


def _check_scheme(text: str, parts: SplitResult) -> None:
    if parts.scheme in SCHEMES and text.startswith(f"{parts.scheme}://"):
        return
    if _SCP.fullmatch(text):
        raise _refused("The address is not a URL.", "Write ssh://git@host/path instead of git@host:path.")
    raise _refused("Only https, ssh and file URLs are fetched from.", _EXAMPLES)


def _check_user(parts: SplitResult) -> None:
    user, at, _ = parts.netloc.rpartition("@")
    if parts.scheme == "ssh" and (not at or _USER.fullmatch(user)):
        return
    if at:
        raise _refused(
            "The address holds credentials, which would show up in logs and pages.",
            "Leave them out; put the token into an environment variable AGNES_GIT_TOKEN_… and give its name.",
        )


def _check_file(parts: SplitResult) -> None:
    if parts.netloc:
        raise _refused(
            "A file URL names no host.", "Write file:// and the absolute path: file:///srv/plugins."
        )


def _refused(message: str, hint: str) -> AddressRefused:
    return AddressRefused(message, hint, {"url": message})


def read_ref(text: str) -> str:
    """A branch, a tag or a commit; '' stands for the remote's default branch. Raises RefRefused."""
    text = text.strip()
    strange = ".." in text or "@{" in text or "//" in text or len(text) > REF_LENGTH
    if text and (strange or not _REF.fullmatch(text) or text.endswith(".lock")):
        message = "This is no name of a branch, tag or commit."
        raise RefRefused(message, "Leave it empty for the default branch.", {"ref": message})
    return text


def without_credentials(text: str) -> str:
    """A text that may quote addresses, with what stands before an `@` in them masked."""
    return _CREDENTIALS.sub(r"\1***@", text)
