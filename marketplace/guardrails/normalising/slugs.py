"""The name of an upload: what its owner wants, else what it calls itself, as a name that all systems take."""

import re

from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
NAME_RULE = "Use up to 64 lower-case letters, digits and hyphens, not a hyphen first."
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def slug_from(wanted: str, candidates: list[str]) -> str:
    """The first candidate that says something, unless one is wanted. Raises Refused."""
    if wanted:
        if not NAME.fullmatch(wanted):
            raise Refused([reject("name_wrong", f"“{wanted}” cannot be its name.", NAME_RULE)])
        return wanted
    name = next(filter(str.strip, candidates), "")
    if not name.isascii():
        raise Refused([reject("name_not_ascii", f"“{name}” has letters beyond a to z.", NAME_RULE)])
    slug = _SEPARATORS.sub("-", name.lower()).strip("-")
    if not NAME.fullmatch(slug):
        raise Refused([reject("name_wrong", f"“{name}” cannot be its name.", NAME_RULE)])
    return slug
