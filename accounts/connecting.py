"""How the client `agnes` gets a token through the browser (as RFC 8252 and RFC 7636 have it).

1. The client listens on a port of its own machine, makes up a secret, and opens the page /connect/ with the
   secret's hash (the challenge).
2. The person, signed in, allows it by a POST. The page leads the browser to that port, with a code that holds
   for two minutes.
3. The client gives code and secret back, once, and gets the token. The code alone is worth nothing.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from accounts import audit, tokens
from accounts.errors import LoginCodeRefused, WrongConnection
from accounts.models import AccessToken, LoginCode, Scope, User

CODE_LASTS = timedelta(minutes=2)
TOKEN_LASTS = timedelta(days=365)
NAME_CHARACTERS = 100
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
STATE = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)


@dataclass(frozen=True)
class Connection:
    """What a client asks for; it waits at `port` of the person's own machine."""

    port: int
    state: str
    challenge: str
    name: str
    scopes: tuple[Scope, ...]

    def address(self, **answer: str) -> str:
        """Where the browser takes the answer to."""
        return f"http://127.0.0.1:{self.port}/?{urlencode({**answer, 'state': self.state})}"


def read_connection(query: QueryDict, user: User) -> Connection:
    """To administer is for staff: for others this scope is left out. Raises WrongConnection."""
    asked = {name: query.get(name, "") for name in ("port", "state", "challenge", "name")}
    name = " ".join("".join(it if it.isprintable() else " " for it in asked["name"]).split())
    scopes = query.getlist("scope")
    port = int(asked["port"]) if re.fullmatch(r"[0-9]{1,5}", asked["port"], re.ASCII) else 0
    right = {
        "port": 1024 <= port <= 65535,
        "state": STATE.fullmatch(asked["state"]),
        "challenge": CHALLENGE.fullmatch(asked["challenge"]),
        "name": name,
        "scope": scopes and set(scopes) <= set(Scope.values),
    }
    if wrong := [field for field, is_right in right.items() if not is_right]:
        raise WrongConnection(wrong)
    return Connection(
        port,
        asked["state"],
        asked["challenge"],
        name[:NAME_CHARACTERS],
        tuple(it for it in tokens.own_scopes(user) if it in scopes),
    )


def allow(connection: Connection, user: User) -> str:
    """The code."""
    code = secrets.token_urlsafe(32)
    now = timezone.now()
    LoginCode.objects.filter(expires_at__lte=now).delete()
    LoginCode.objects.create(
        code_hash=_hash(code),
        user=user,
        challenge=connection.challenge,
        name=connection.name,
        scopes=[scope.value for scope in connection.scopes],
        expires_at=now + CODE_LASTS,
    )
    return code


def redeem(code: str, verifier: str) -> tuple[AccessToken, str]:
    """The token and its text. A code works once, also with a wrong verifier.

    Raises LoginCodeRefused, TooManyTokens.
    """
    found = _take(code)
    if found is None or not hmac.compare_digest(found.challenge, challenge_of(verifier)):
        raise LoginCodeRefused
    now = audit.current()
    with audit.context(now.client_kind, actor=found.user, request_id=now.request_id):
        return tokens.issue_own(
            found.user, name=found.name, scopes=found.scopes, expires_at=timezone.now() + TOKEN_LASTS
        )


def challenge_of(verifier: str) -> str:
    """Method S256 of RFC 7636."""
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def labels(scopes: Sequence[Scope]) -> list[str]:
    return [str(scope.label) for scope in scopes]


def _take(code: str) -> LoginCode | None:
    """Two that ask at once do not both get it."""
    with transaction.atomic():
        usable = LoginCode.objects.filter(
            code_hash=_hash(code), expires_at__gt=timezone.now(), user__is_active=True
        )
        found = usable.select_related("user").first()
        if found is None or not LoginCode.objects.filter(pk=found.pk).delete()[0]:
            return None
    return found


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
