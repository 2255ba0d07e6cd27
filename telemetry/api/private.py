"""Marking a session private by the JSON API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.errors import NotFound
from accounts.models import AccessToken, Scope, User
from accounts.people import person_of_id
from telemetry.errors import WhoseSession
from telemetry.maintenance.withholding import Outcome, Reason, readmit, withhold
from telemetry.models import SessionTranscript
from telemetry.models.lengths import NAME_LENGTH
from telemetry.permissions import MANAGE_PROCESSING
from telemetry.transcripts.values import clean

router = Router(tags=["sessions"])

# The answer comes when all is removed, but well before any proxy gives the request up.
RUN_SECONDS = 20


class RemovedSession(Schema):
    """How many rows of what went. `copies`: other transcripts of the person that held copies of its records.
    `left`: what the task worker is still removing (files, copies, lake) or writing (the list
    that outlives the database); nothing once it is `complete`."""

    session_id: str
    user_id: int
    reason: Reason
    transcripts: int
    events: int
    messages: int
    summaries: int
    copies: int
    complete: bool
    left: list[str]


class ReadmittedSession(Schema):
    session_id: str
    user_id: int


# Before the one below, whose path would take in this one's.
@router.post(
    "/sessions/{path:session_id}/readmit",
    auth=auth(Scope.UPLOAD),
    response=ReadmittedSession,
    summary="Take back that a session is private",
    openapi_extra={"responses": {410: {}}},
)
def readmit_session(
    request: HttpRequest,
    session_id: Annotated[str, Path(min_length=1, max_length=NAME_LENGTH)],
) -> dict[str, Any]:
    """Of one's own that was marked private before anything of it was here: its uploads are taken again. What
    was removed stays away: 410."""
    assert isinstance(request.user, User)
    readmit(request.user, session_id)
    return {"session_id": session_id, "user_id": request.user.pk}


@router.delete(
    "/sessions/{path:session_id}",
    auth=auth(Scope.UPLOAD, or_scope=Scope.ADMIN),
    response={200: RemovedSession, 202: RemovedSession},
    summary="Mark a session private",
)
def delete_session(
    request: HttpRequest,
    session_id: Annotated[str, Path(min_length=1, max_length=NAME_LENGTH)],
    user_id: Annotated[
        int | None, Query(ge=1, lt=2**63, description="for admins: whose session, where it is not their own")
    ] = None,
) -> HttpStatus[dict[str, Any]]:
    """Removes one's session for good, with its subagents: files, events, messages, summaries, roll-ups, the
    lake's rows, and copies of its records in one's other sessions. Its uploads are answered 410 from then on,
    also where it was never here. Admins remove other people's.

    200 when nothing is left of it; 202 where the task worker is still removing something.
    """
    assert isinstance(request.user, User)
    owner = _owner(request, session_id, user_id)
    reason = Reason.PRIVATE if owner == request.user else Reason.ERASED
    outcome = withhold(owner, session_id, reason=reason, actor=request.user, seconds=RUN_SECONDS)
    return HttpStatus(202 if outcome.left else 200, _answer(outcome))


def _owner(request: HttpRequest, session_id: str, user_id: int | None) -> User:
    """Whose session is meant: one's own where there is one, or where nobody else's may be meant."""
    me = request.user
    assert isinstance(me, User)
    if user_id == me.pk or not _may_remove_others(request, me):
        if user_id in (None, me.pk):
            return me
        raise NotFound(f"You have no session {session_id[:200]!r}.", "Leave user_id out for your own.")
    if user_id is not None:
        return person_of_id(user_id)
    owners = _owners_of(session_id)
    if me.pk in owners or not owners:
        return me
    if len(owners) > 1:
        raise WhoseSession(sorted(owners))
    return person_of_id(owners.pop())


def _may_remove_others(request: HttpRequest, me: User) -> bool:
    """A token does that only with the scope `admin`."""
    token: Any = request.auth  # type: ignore[attr-defined]
    in_scope = not isinstance(token, AccessToken) or Scope.ADMIN in token.scopes
    return in_scope and me.is_staff and me.has_perm(MANAGE_PROCESSING)


def _owners_of(session_id: str) -> set[int]:
    found = SessionTranscript.objects.filter(session_id=clean(session_id)).order_by()
    return set(found.values_list("owner_id", flat=True).distinct())


def _answer(outcome: Outcome) -> dict[str, Any]:
    return {
        "session_id": outcome.session_id,
        "user_id": outcome.user_id,
        "reason": outcome.reason,
        **{name: outcome.removed[name] for name in ("transcripts", "events", "messages", "summaries")},
        "copies": outcome.copies,
        "complete": not outcome.left,
        "left": outcome.left,
    }
