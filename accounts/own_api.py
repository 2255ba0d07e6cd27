"""Who one is, and how the client `agnes` logs in, in the JSON API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja import Status as HttpStatus

from accounts import connecting, tokens
from accounts.api_auth import auth_of_any_token
from accounts.clients import OLDEST_CLIENT
from accounts.errors import NotFound
from accounts.models import AccessToken, User

router = Router(tags=["you"])


class Me(Schema):
    """`scopes` and `expires_at` are those of the access token, null for a browser."""

    id: int
    email: str
    name: str
    is_staff: bool
    scopes: list[str] | None
    expires_at: datetime | None
    oldest_client: str


class Redeemed(Schema):
    code: Annotated[str, Field(max_length=200)]
    verifier: Annotated[str, Field(max_length=200)]


class NewToken(Schema):
    token: str
    scopes: list[str]
    expires_at: datetime | None


@router.get("/me", auth=auth_of_any_token(), response=Me, summary="Who you are")
def me(request: HttpRequest) -> dict[str, Any]:
    """Whose the access token is, and what it may be used for."""
    person, token = request.user, getattr(request, "auth", None)
    assert isinstance(person, User)
    own = token if isinstance(token, AccessToken) else None
    return {
        **{name: getattr(person, name) for name in ("id", "email", "name", "is_staff")},
        "scopes": own and own.scopes,
        "expires_at": own and own.expires_at,
        "oldest_client": ".".join(map(str, OLDEST_CLIENT)),
    }


@router.delete(
    "/me/token",
    auth=auth_of_any_token(),
    response={204: None},
    summary="Revoke the token you send",
    openapi_extra={"responses": {404: {}}},
)
def revoke(request: HttpRequest) -> HttpStatus[None]:
    """It is refused from then on."""
    token = getattr(request, "auth", None)
    if not isinstance(token, AccessToken):
        raise NotFound("You are signed in with a browser, not with an access token.", "Sign out instead.")
    tokens.revoke(token, by=token.user)
    return HttpStatus(204, None)


@router.post(
    "/connect/token",
    response=NewToken,
    summary="Redeem a code of /connect/",
    openapi_extra={"responses": {409: {}}},
)
def redeem(request: HttpRequest, given: Redeemed) -> dict[str, Any]:
    """The last step of `agnes login` with the browser: for the code that the page gave, and the secret whose
    hash was shown to it. A code works once, for two minutes."""
    token, plain = connecting.redeem(given.code, given.verifier)
    return {"token": plain, "scopes": token.scopes, "expires_at": token.expires_at}
