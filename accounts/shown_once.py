"""A fresh token's text on its way to the one page that shows it.

The browser carries it there in a cookie for that page alone, so that no database ever holds it. The
session remembers, without the text, that it is still to be shown: a second request gets nothing.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import AccessToken

COOKIE = "issued_token"
SECONDS = 60


def send(response: HttpResponse, request: HttpRequest, token: AccessToken, plain: str, path: str) -> None:
    """Let `response`, a redirect to `path`, carry the text."""
    request.session[COOKIE] = token.pk
    response.set_signed_cookie(
        COOKIE,
        plain,
        salt=str(token.pk),
        max_age=SECONDS,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def take(request: HttpRequest, token: AccessToken) -> str | None:
    """The text of `token`, the first time after it was sent; else None."""
    if request.session.get(COOKIE) != token.pk:
        return None
    del request.session[COOKIE]
    plain: str | None = request.get_signed_cookie(COOKIE, None, salt=str(token.pk), max_age=SECONDS)
    return plain


def forget(response: HttpResponse, path: str) -> None:
    response.delete_cookie(COOKIE, path=path, samesite="Strict")


def gone(token: AccessToken) -> str:
    """What is told in place of the text."""
    return f"The secret of {token} was shown once and is not kept. Lost it? Revoke it and make another."
