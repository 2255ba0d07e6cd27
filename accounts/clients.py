"""The client `agnes`, as it tells of itself: `User-Agent: agnes-cli/0.1.0 (…)`."""

import re

from django.http import HttpRequest

from accounts.errors import ClientTooOld

# Raise it where an older client would do harm or not understand what it gets.
OLDEST_CLIENT = (0, 1, 0)
_VERSION = re.compile(r"agnes-cli/(\d{1,5})\.(\d{1,5})\.(\d{1,5})", re.ASCII)


def is_our_client(request: HttpRequest) -> bool:
    return request.headers.get("User-Agent", "").startswith("agnes-cli")


def refuse_old_clients(request: HttpRequest) -> None:
    """Raises ClientTooOld. Whoever does not say a version is let through."""
    found = _VERSION.match(request.headers.get("User-Agent", ""))
    if found and tuple(map(int, found.groups())) < OLDEST_CLIENT:
        raise ClientTooOld(".".join(map(str, OLDEST_CLIENT)))
