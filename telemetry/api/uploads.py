"""Uploading a transcript by the JSON API."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.errors import AgnesError
from accounts.models import Scope, User
from telemetry.intake.comparing import Status
from telemetry.intake.receiving import body_chunks, refuse_browser_forms
from telemetry.intake.storing import store_transcript

log = logging.getLogger(__name__)

router = Router(tags=["telemetry"])

RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The *.jsonl file itself; Content-Encoding may be gzip or zstd.",
        "content": {"application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {
        409: {"description": "What is stored of this transcript is lost: stored_file_lost."},
        410: {"description": "Never taken: session_private, session_erased, records_private, person_erased."},
    },
}


class UploadedTranscript(Schema):
    status: Status
    session_id: str
    agent_id: str
    session_file: str
    revision: int
    warnings: list[str]


by_token, by_session = auth(Scope.UPLOAD)


@router.post(
    "/upload/sessions",
    auth=[by_token, refuse_browser_forms, by_session],
    response={200: UploadedTranscript, 201: UploadedTranscript},
    summary="Upload one transcript",
    openapi_extra=RAW_BODY,
)
def upload_session(request: HttpRequest, name: str = "") -> HttpStatus[dict[str, Any]]:
    """201 for a new transcript, 200 for one that is known: grown, same, shorter, superseded or diverged.

    Which session a file is comes from its content; `name` is a hint, and a mismatch a warning.
    """
    assert isinstance(request.user, User)
    encoding = request.headers.get("Content-Encoding", "")
    with _refusals_logged(request.user):
        stored = store_transcript(request.user, body_chunks(request), encoding=encoding, uploaded_name=name)
    transcript = stored.transcript
    answer = {
        "status": stored.status,
        "session_id": transcript.session_id,
        "agent_id": transcript.agent_id,
        "session_file": transcript.session_file,
        "revision": transcript.revision,
        "warnings": stored.warnings,
    }
    return HttpStatus(201 if stored.status == Status.NEW else 200, answer)


@contextmanager
def _refusals_logged(user: User) -> Iterator[None]:
    """Whose upload was refused and why, for operators: by id, and without content."""
    try:
        yield
    except AgnesError as error:
        log.info("Refused an upload of user %s: %s: %s", user.pk, error.code, error.message)
        raise
