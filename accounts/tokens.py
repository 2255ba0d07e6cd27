"""Access tokens: `agnes_<key id>_<secret>`.

The key id finds the row; of the secret only an HMAC with the server's pepper is kept, so a stolen
database opens nothing. HMAC instead of a slow hash, because the secret is 238 random bits.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.errors import TooManyTokens
from accounts.models import AccessToken, Scope, User

PREFIX = "agnes_"
SHAPE = re.compile(r"agnes_([a-z0-9]{12})_([A-Za-z0-9]{40})", re.ASCII)
LAST_USED_PRECISION = timedelta(minutes=1)
# More usable ones than anybody has machines: who makes them by a program shall not fill the database.
MOST_OWN = 50


def issue(
    user: User, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """A new token and its text, which is shown once and cannot be had again. Raises ValidationError."""
    key_id = _random(12, string.ascii_lowercase + string.digits)
    secret = _random(40, string.ascii_letters + string.digits)
    token = AccessToken(
        user=user,
        name=name,
        key_id=key_id,
        secret_hmac=_hmac(key_id, secret),
        scopes=sorted({Scope(scope).value for scope in scopes}),
        expires_at=expires_at,
    )
    # SQLite takes a name of any length, PostgreSQL gives an error that names no field.
    token.clean_fields()
    with transaction.atomic():
        token.save(force_insert=True)
        audit.record("token.create", target=_target(token), params={"user": user.pk, "scopes": token.scopes})
    return token, f"{PREFIX}{key_id}_{secret}"


def own_scopes(user: User) -> list[Scope]:
    """To administer is for staff: of others nothing that takes the scope is allowed."""
    return [scope for scope in Scope if scope != Scope.ADMIN or user.is_staff]


def issue_own(
    user: User, *, name: str, scopes: Iterable[str], expires_at: datetime | None
) -> tuple[AccessToken, str]:
    """As `issue`, by the person whose token it is. Raises TooManyTokens, too."""
    if AccessToken.objects.usable().filter(user=user).count() >= MOST_OWN:
        raise TooManyTokens(MOST_OWN)
    return issue(user, name=name, scopes=scopes, expires_at=expires_at)


def authenticate(plain: str) -> AccessToken | None:
    """The usable token with this text; notes its use, at most once a minute."""
    shape = SHAPE.fullmatch(plain)
    if not shape:
        return None
    key_id, secret = shape.groups()
    token = AccessToken.objects.usable().select_related("user").filter(key_id=key_id).first()
    if token is None or not hmac.compare_digest(token.secret_hmac, _hmac(key_id, secret)):
        return None
    _note_use(token)
    return token


def revoke(token: AccessToken, *, by: User | None) -> None:
    """Ends a token at once and for good. Revoking it again changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        if AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            audit.record("token.revoke", target=_target(token), actor=by, params={"user": token.user_id})
            token.revoked_at = now


def _note_use(token: AccessToken) -> None:
    now = timezone.now()
    stale = now - LAST_USED_PRECISION
    if token.last_used_at and token.last_used_at > stale:
        return
    unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lte=stale)
    AccessToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    token.last_used_at = now


def _target(token: AccessToken) -> str:
    return f"token:{token.key_id}"


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _hmac(key_id: str, secret: str) -> str:
    return hmac.digest(settings.TOKEN_PEPPER.encode(), f"{key_id}_{secret}".encode(), hashlib.sha256).hex()
