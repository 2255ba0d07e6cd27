"""A person's sessions in the JSON API, for admins who may read transcripts."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Path, Query, Router, Schema

from accounts.api_auth import auth
from accounts.models import Scope
from accounts.people import person_of_id
from telemetry.errors import SessionUnknown
from telemetry.export import moments
from telemetry.permissions import READ_TRANSCRIPTS
from telemetry.sessions import answering
from telemetry.sessions.downloading import find_transcript
from telemetry.sessions.filters import read_filter
from telemetry.sessions.finding import PAGE_SIZE, SessionKey, keys, sessions_of
from telemetry.sessions.rows import SessionRow, TranscriptRow, session_rows

router = Router(tags=["sessions"])

MOST = 200
UserId = Annotated[int, Path(ge=1, lt=2**63)]


def _bytes(content_type: str, *errors: int) -> dict[str, Any]:
    content = {content_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "responses": {200: {"description": "A download.", "content": content}, **{it: {} for it in errors}}
    }


class TranscriptFigures(Schema):
    """Figures are null until the transcript is processed."""

    session_file: str
    session_id: str
    agent_id: str
    started_at: datetime | None
    ended_at: datetime | None
    wall_seconds: float | None
    active_seconds: float | None
    project: str | None
    model: str | None
    prompts: int | None
    tool_calls: int | None
    errors: int | None
    skills: int | None
    subagents_started: int | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_creation_tokens: int | None
    bytes: int
    parts: int
    revision: int
    received_at: datetime


class TranscriptItem(TranscriptFigures):
    download: str


class SessionItem(TranscriptItem):
    """`state`: done, waiting, at work, failed (and tried again), given up; `error` says why."""

    state: str
    error: str | None
    subagents: list[TranscriptItem]


class SessionList(Schema):
    items: list[SessionItem]
    total: int
    limit: int
    offset: int


@router.get(
    "/{user_id}/sessions",
    auth=auth(Scope.ADMIN, permission=READ_TRANSCRIPTS),
    response=SessionList,
    summary="A person's sessions",
    openapi_extra={"responses": {404: {}}},
)
def list_sessions(
    request: HttpRequest,
    user_id: UserId,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE_SIZE,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    since: Annotated[str, Query(description=f"inclusive: {moments.EXAMPLE}")] = "",
    until: Annotated[str, Query(description="exclusive")] = "",
    errors: Annotated[str, Query(description="1: only with tool errors")] = "",
    model: Annotated[str, Query(description="whose most used model it is")] = "",
    project: Annotated[str, Query(description="the project folder, whole")] = "",
    plugin: Annotated[str, Query(description="that used it: curated:market/tidy, or market/tidy")] = "",
) -> dict[str, Any]:
    """Newest first; subagents stand in their session, each with its own download."""
    person_of_id(user_id)
    asked = {
        "since": since,
        "until": until,
        "errors": errors,
        "model": model,
        "project": project,
        "plugin": plugin,
    }
    return page_of(user_id, asked, limit=limit, offset=offset)


def page_of(user_id: int, asked: dict[str, str], *, limit: int, offset: int) -> dict[str, Any]:
    """A person's sessions, the newest first. Raises WrongFilter."""
    rows = sessions_of(user_id, read_filter(asked))
    page = keys(rows)[offset : offset + limit]
    items = [_session(it) for it in session_rows([SessionKey(*key) for key in page])]
    return {"items": items, "total": rows.count(), "limit": limit, "offset": offset}


@router.get(
    "/{user_id}/sessions/download-all",
    auth=auth(Scope.ADMIN, permission=READ_TRANSCRIPTS),
    summary="Download all transcripts of a person",
    openapi_extra=_bytes(answering.ZIP, 404, 503),
    url_name="download_all",
)
def download_all(request: HttpRequest, user_id: UserId) -> StreamingHttpResponse:
    """A zip, made while it is sent: `<session>.jsonl`, and `<session>/subagents/agent-<agent>.jsonl`.

    A connection that breaks is an error on the way: what came by then is not everything.
    """
    return answering.answer_all(request, person_of_id(user_id))


@router.get(
    "/{user_id}/sessions/{session_file}",
    auth=auth(Scope.ADMIN, permission=READ_TRANSCRIPTS),
    response=SessionItem,
    summary="One session of a person",
)
def show_session(request: HttpRequest, user_id: UserId, session_file: str) -> dict[str, Any]:
    """By the session_file of its main transcript, or of a subagent's."""
    transcript = find_transcript(user_id, session_file)
    rows = session_rows([SessionKey(user_id, transcript.session_id)])
    if not rows:
        raise SessionUnknown(user_id, session_file)
    return _session(rows[0])


@router.get(
    "/{user_id}/sessions/{session_file}/download",
    auth=auth(Scope.ADMIN, permission=READ_TRANSCRIPTS),
    summary="Download one transcript",
    openapi_extra=_bytes(answering.TRANSCRIPT, 404, 409),
    url_name="download_transcript",
)
def download_transcript(request: HttpRequest, user_id: UserId, session_file: str) -> StreamingHttpResponse:
    """The *.jsonl as it was uploaded; where several diverging files were, one after another."""
    return answering.answer_transcript(request, user_id, session_file)


def _session(row: SessionRow) -> dict[str, Any]:
    return {
        **_transcript(row),
        "state": row.usage.state.value,
        "error": row.usage.error or None,
        "subagents": [_transcript(it) for it in row.subagents],
    }


# As the schema names them: as the summary does.
FIGURES = {
    "wall_seconds": "wall_seconds",
    "active_seconds": "active_seconds",
    "ended_at": "ended_at",
    "project": "cwd",
    "model": "primary_model",
    "prompts": "user_messages",
    "tool_calls": "tool_calls",
    "errors": "tool_errors",
    "skills": "skill_invocations",
    "subagents_started": "subagent_dispatches",
    **{
        name: name for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    },
}


def _transcript(row: TranscriptRow) -> dict[str, Any]:
    it, summary = row.transcript, row.summary
    return {
        "session_file": it.session_file,
        "session_id": it.session_id,
        "agent_id": it.agent_id,
        "started_at": summary.started_at if summary else it.first_at,
        **{name: getattr(summary, figure, None) for name, figure in FIGURES.items()},
        "bytes": row.raw_bytes,
        "parts": row.parts,
        "revision": it.revision,
        "received_at": it.received_at,
        "download": answering.download_url(it.owner_id, it.session_file),
    }
