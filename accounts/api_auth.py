"""Who may call an API operation: `@router.post("/…", auth=auth(Scope.UPLOAD))`.

A caller shows a bearer access token that has the scope, or the session of a signed-in browser (then
protected against cross-site requests). Either way `request.user` is the person.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from accounts import tokens
from accounts.clients import refuse_old_clients
from accounts.errors import NotAllowed, NotAuthenticated
from accounts.models import AccessToken, Scope, User


def auth(
    scope: Scope, permission: str | None = None, *, or_scope: Scope | None = None
) -> Sequence[Callable[[HttpRequest], Any]]:
    """Rules for one operation. A token with `or_scope` may call it too.

    With `permission` it is for admins: active, staff, holding that Django permission, and when a token calls,
    holding the scope `admin` too.
    """
    admin = {Scope.ADMIN} if permission else set()
    return [
        TokenAuth([{each} | admin for each in (scope, or_scope) if each], permission),
        SessionAuth(permission),
    ]


def auth_of_any_token() -> Sequence[Callable[[HttpRequest], Any]]:
    """Rules for what tells callers no more than who they are."""
    return [TokenAuth([{scope} for scope in Scope], None), SessionAuth(None)]


class TokenAuth(HttpBearer):
    """Takes tokens that have all scopes of one of `choices`."""

    def __init__(self, choices: Sequence[set[Scope]], permission: str | None) -> None:
        super().__init__()
        self.choices = [sorted(scopes) for scopes in choices]
        self.permission = permission

    def authenticate(self, request: HttpRequest, token: str) -> AccessToken:
        refuse_old_clients(request)
        found = tokens.authenticate(token)
        if found is None:
            raise NotAuthenticated(
                "The access token is unknown, expired or revoked.",
                "Sign in with the browser and make a new one on the page Access tokens (/tokens/).",
            )
        if not any(set(scopes) <= set(found.scopes) for scopes in self.choices):
            missing = sorted(set(self.choices[0]) - set(found.scopes))
            raise NotAllowed(
                f"The access token lacks the scope {missing[0]}.",
                f"Use a token with the scope {in_words(self.choices)}.",
            )
        _require_permission(found.user, self.permission)
        request.user = found.user
        return found


class SessionAuth(APIKeyCookie):
    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, permission: str | None) -> None:
        super().__init__()
        self.permission = permission

    def __call__(self, request: HttpRequest) -> User:
        """Unlike ninja's own, tells someone who is not signed in so, before speaking of CSRF."""
        user = request.user
        if not isinstance(user, User):
            raise NotAuthenticated(
                "You are not signed in.",
                "Send `Authorization: Bearer agnes_…` with an access token, or sign in with the browser.",
            )
        if check_csrf(request):
            raise NotAllowed(
                "The CSRF check failed.",
                "Send the value of the csrftoken cookie as the header X-CSRFToken, or use an access token.",
            )
        _require_permission(user, self.permission)
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> User:
        raise NotImplementedError


def in_words(choices: Iterable[Iterable[str]]) -> str:
    """Such as "marketplace or read" for two choices, "admin and read" for one of two scopes."""
    return " or ".join(" and ".join(scopes) for scopes in choices)


def _require_permission(user: User, permission: str | None) -> None:
    if permission and not (user.is_active and user.is_staff and user.has_perm(permission)):
        raise NotAllowed(
            f"This needs the permission {permission}.", "Ask an admin to give it to you, as staff."
        )
