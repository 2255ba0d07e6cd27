"""Which names a marketplace may have: not those that Claude Code takes from github.com/anthropics only."""

import re

_RESERVED = frozenset(
    {
        "claude-plugins-official", "claude-code-plugins", "claude-code-marketplace", "claude-community",
        "claude-plugins-community", "anthropic-marketplace", "anthropic-plugins", "agent-skills",
        "anthropic-agent-skills", "knowledge-work-plugins", "life-sciences", "claude-for-legal",
        "claude-for-financial-services", "financial-services-plugins", "first-party-plugins", "healthcare",
    }
)  # fmt: skip
_KEBAB_CASE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SEPARATORS = re.compile(r"[\s._-]+")
_MAKER = ("claude", "anthropic")


def is_kebab_case(name: str) -> bool:
    return bool(_KEBAB_CASE.fullmatch(name))


def is_reserved(name: str) -> bool:
    """True for the reserved names, their other spellings, and what poses as official."""
    folded = _folded(name)
    if folded in {_folded(reserved) for reserved in _RESERVED}:
        return True
    # Letters of other alphabets can look like ASCII, so Claude Code refuses them all.
    return not name.isascii() or ("official" in folded and any(maker in folded for maker in _MAKER))


def _folded(name: str) -> str:
    return _SEPARATORS.sub("", name.casefold())
