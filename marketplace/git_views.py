"""The git door: a person's marketplace, read-only, by git's smart HTTP protocol."""

import base64
import binascii
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts import tokens
from accounts.errors import AgnesError, NotAllowed, NotAuthenticated, NotFound
from accounts.models import Scope, User
from accounts.slow_clients import lose_patience
from marketplace.serving import fetching
from marketplace.serving.backend import Request
from marketplace.serving.requests import protocol, read_body

UPLOAD_PACK, RECEIVE_PACK = "git-upload-pack", "git-receive-pack"
_PASSED_ON = ("Content-Type", "Cache-Control", "Expires", "Pragma")

View = Callable[..., HttpResponseBase]


def git_door(view: View) -> View:
    """Errors as git shows them to people: `remote: …`."""

    @csrf_exempt
    @wraps(view)
    def door(request: HttpRequest, **where: str) -> HttpResponseBase:
        try:
            return view(request, **where)
        except AgnesError as error:
            return _told(error)

    return door


@git_door
def advertise(request: HttpRequest, person: str) -> HttpResponseBase:
    service = request.GET.get("service")
    if service == RECEIVE_PACK:
        raise _read_only()
    if request.method != "GET" or service != UPLOAD_PACK:
        raise _nothing_here()
    user = _signed_in(request, person)
    return _streamed(request, user, Request("info/refs", protocol(request)))


@git_door
def upload_pack(request: HttpRequest, person: str) -> HttpResponseBase:
    if request.method != "POST":
        raise _nothing_here()
    user = _signed_in(request, person)
    lose_patience(request)
    asked = Request(
        UPLOAD_PACK, protocol(request), read_body(request), request.headers.get("Content-Type", "")
    )
    return _streamed(request, user, asked)


@git_door
def receive_pack(request: HttpRequest, person: str) -> HttpResponseBase:
    raise _read_only()


@git_door
def nothing_here(request: HttpRequest) -> HttpResponseBase:
    raise _nothing_here()


def _signed_in(request: HttpRequest, person: str) -> User:
    """Whose marketplace this is. Raises NotAuthenticated, NotAllowed, NotFound."""
    token = tokens.authenticate(_password(request))
    if token is None:
        raise NotAuthenticated(
            "The access token is missing, unknown, expired or revoked.",
            "Add the marketplace with a token of scope marketplace as the password, any user name before it.",
        )
    if Scope.MARKETPLACE not in token.scopes:
        raise NotAllowed(
            f"The access token lacks the scope {Scope.MARKETPLACE}.",
            f"Make one with the scope {Scope.MARKETPLACE}.",
        )
    if str(token.user.pk) != person:
        raise _nothing_here()
    return token.user


def _password(request: HttpRequest) -> str:
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def _streamed(request: HttpRequest, user: User, asked: Request) -> StreamingHttpResponse:
    answer = fetching.answer(user, asked)
    lose_patience(request)
    headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    # Django closes it when the answer is done, and when the client is gone.
    return StreamingHttpResponse(answer, status=answer.status, headers=headers)


def _told(error: AgnesError) -> HttpResponse:
    response = HttpResponse(
        error.text + "\n",
        status=error.status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )
    if isinstance(error, NotAuthenticated):
        response["WWW-Authenticate"] = 'Basic realm="Agnes marketplace", charset="UTF-8"'
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _read_only() -> NotAllowed:
    return NotAllowed("This marketplace is read-only.", "Choose its plugins on the pages of the marketplace.")


def _nothing_here() -> NotFound:
    return NotFound("There is nothing here.", "Take the address from your stack's page.")
