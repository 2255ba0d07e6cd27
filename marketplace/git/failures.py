"""What git says when it fails, as errors that name the cure."""

import re

from marketplace.git.addresses import without_credentials
from marketplace.git.errors import (
    AccessDenied,
    AddressMoved,
    ConnectionBroke,
    GitFailed,
    HostUnreachable,
    RefUnknown,
    RepositoryNotFound,
    SyncFailed,
    TookTooLong,
)

_PRIVATE = (
    "Check the address. If the repository is private, put a token that may read it into an environment "
    "variable AGNES_GIT_TOKEN_… where Agnes runs, and give that variable's name."
)
# The first pattern that is found decides.
_FAILURES: tuple[tuple[str, type[SyncFailed], str, str], ...] = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION",
        HostUnreachable,
        "ssh does not know the host's key.",
        "Add it to the known_hosts of the user who runs Agnes: `ssh-keyscan HOST >> ~/.ssh/known_hosts`.",
    ),
    (
        r"Permission denied \(|Too many authentication failures",
        AccessDenied,
        "The host refuses the ssh key of the user who runs Agnes.",
        "Let that key read the repository, or use an https URL with a token.",
    ),
    (
        r"could not read (Username|Password)|Authentication failed|returned error: 40[13]|Access denied",
        AccessDenied,
        "The repository needs a password, or the token may not read it.",
        _PRIVATE,
    ),
    (
        r"couldn't find remote ref HEAD",
        RefUnknown,
        "The repository has no commit on its default branch.",
        "Push one, or give the ref of another branch.",
    ),
    (
        r"couldn't find remote ref|not our ref|no such remote ref",
        RefUnknown,
        "The repository has no such branch, tag or commit.",
        "Correct the ref, or leave it empty for the default branch.",
    ),
    (
        r"dubious ownership",
        AccessDenied,
        "The folder belongs to another user, and git refuses to read it.",
        "Give it to the user who runs Agnes: `chown -R`.",
    ),
    (
        r"unable to update url base from redirection|returned error: 30\d|redirect",
        AddressMoved,
        "The server points to another address, where a token is never sent.",
        "Register the repository under its new address.",
    ),
    (
        r"[Rr]epository .*not found|does not appear to be a git repo|does not exist|returned error: (404|410)"
        r"|not a git repository|invalid gitfile format|[Nn]ot valid: is this a git repo",
        RepositoryNotFound,
        "There is no repository at this address that Agnes may read.",
        _PRIVATE,
    ),
    (
        r"Operation too slow|timed out",
        TookTooLong,
        "The server was too slow.",
        "Try again later.",
    ),
    (
        r"certificate (verification|problem|signer|subject)|[Ss]elf.signed|no alternative certificate",
        HostUnreachable,
        "The server's certificate is not trusted.",
        "Correct it, or let Agnes trust its authority: GIT_SSL_CAINFO names a file with certificates.",
    ),
    (
        r"Could not resolve|Failed to connect|Connection refused|Couldn't connect|unreachable|No route",
        HostUnreachable,
        "The host cannot be reached.",
        "Check the address, and whether this machine may connect there.",
    ),
    (
        r"early EOF|unexpected disconnect|hung up|RPC failed|Empty reply|Connection reset|index-pack|bad pack"
        r"|recv error|recv failure|SSL|TLS|unable to access",
        ConnectionBroke,
        "The connection broke in the middle.",
        "Try again later.",
    ),
)


def failure_of(said: str) -> SyncFailed:
    for pattern, error, message, hint in _FAILURES:
        if re.search(pattern, said):
            return error(message, hint)
    return GitFailed(f"git failed: {last_words(said)}", "See docs/MARKETPLACES.md, or try again later.")


def last_words(said: str) -> str:
    """The last line that tells of an error, fit to be shown."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    line = (telling or lines or ["it said nothing"])[-1]
    shown = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return without_credentials(shown)[:300]
