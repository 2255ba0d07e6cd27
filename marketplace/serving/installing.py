"""The lines that a person pastes once, and for each plugin."""

import shlex
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import User

# Any user name will do: the token says who it is.
USER, PLACEHOLDER = "agnes", "TOKEN"


def marketplace_address(user: User, token: str = PLACEHOLDER) -> str:
    """With a token in it: that of this person, of scope `marketplace`."""
    parts = urlsplit(settings.AGNES_URL)
    return f"{parts.scheme}://{USER}:{token}@{parts.netloc}{parts.path}/m/{user.pk}.git"


def install_lines(user: User, name: str = "NAME", *, token: str = PLACEHOLDER) -> list[str]:
    """Add the marketplace, once; then install a plugin by the name under which it is served."""
    return [
        f"claude plugin marketplace add {shlex.quote(marketplace_address(user, token))}",
        f"claude plugin install {shlex.quote(f'{name}@{settings.MARKETPLACE_NAME}')}",
    ]
