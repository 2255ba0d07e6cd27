"""One's own sessions in the JSON API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.api_auth import auth
from accounts.models import Scope, User
from telemetry.api.sessions import MOST, TranscriptFigures, page_of
from telemetry.export import moments
from telemetry.sessions.finding import PAGE_SIZE

router = Router(tags=["sessions"])


class OwnSession(TranscriptFigures):
    """`state`: done, waiting, at work, failed (and tried again), given up; `error` says why."""

    state: str
    error: str | None
    subagents: list[TranscriptFigures]


class OwnSessions(Schema):
    items: list[OwnSession]
    total: int
    limit: int
    offset: int


@router.get("/sessions", auth=auth(Scope.READ), response=OwnSessions, summary="Your sessions")
def list_own_sessions(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE_SIZE,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    since: Annotated[str, Query(description=f"inclusive: {moments.EXAMPLE}")] = "",
    until: Annotated[str, Query(description="exclusive")] = "",
) -> dict[str, Any]:
    """Newest first, with their subagents."""
    assert isinstance(request.user, User)
    return page_of(request.user.pk, {"since": since, "until": until}, limit=limit, offset=offset)
