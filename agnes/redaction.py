"""Secrets are never logged: whatever looks like one, or is one of ours, is blotted out of each line.

Nothing logs them on purpose. But a library may put into its error what it was given.
"""

import os
import re
from functools import cache

BLOT = "…"
SHAPES = (
    # Our access tokens: the key id finds the row and opens nothing.
    (re.compile(r"(agnes_[a-z0-9]{12}_)[A-Za-z0-9]{40}"), rf"\1{BLOT}"),
    # Signed tokens of sign-in providers, keys of model providers.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), BLOT),
    (re.compile(r"\bsk-[\w-]{16,}"), BLOT),
    (re.compile(r"\b(bearer|basic)\s+(?=\S*\d)[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {BLOT}"),
    # Addresses with a password, and forms or addresses with a secret.
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{BLOT}@"),
    (re.compile(r"([?&]code=)[^&\s\"']+"), rf"\1{BLOT}"),
    (re.compile(r"\b(password|\w*secret|\w*token|api_key)=[^&\s\"']+", re.IGNORECASE), rf"\1={BLOT}"),
)
# What is shorter would blot out words.
SHORTEST = 8
OURS = (
    "SECRET_KEY",
    "TOKEN_PEPPER",
    "SEED_ADMIN_PASSWORD",
    "ANTHROPIC_API_KEY",
    "ASK_API_KEY",
    "METRICS_TOKEN",
    "OIDC_CLIENT_SECRET",
)


def redacted(text: str) -> str:
    for secret in _our_secrets():
        text = text.replace(secret, BLOT)
    for shape, blotted in SHAPES:
        text = shape.sub(blotted, text)
    return text


@cache
def _our_secrets() -> tuple[str, ...]:
    """The longest first, since one may be a part of another."""
    from django.conf import settings

    values = [str(getattr(settings, name, "")) for name in OURS]
    values.append(settings.LAKE_STORAGE_OPTIONS.get("AWS_SECRET_ACCESS_KEY", ""))
    values.append(str(settings.DATABASES["default"].get("PASSWORD") or ""))
    values += [value for name, value in os.environ.items() if name.startswith("AGNES_GIT_TOKEN_")]
    return tuple(sorted({value for value in values if len(value) >= SHORTEST}, key=len, reverse=True))
