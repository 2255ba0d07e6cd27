"""Telemetry's part of the JSON API."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.models import Scope, User
from telemetry.admin_api import router as admin_router
from telemetry.intake.comparing import Status
from telemetry.intake.receiving import body_chunks
from telemetry.intake.storing import store_transcript

router = Router(tags=["telemetry"])
router.add_router("/admin", admin_router)

RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The *.jsonl file itself; Content-Encoding may be gzip or zstd.",
        "content": {"application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UploadedTranscript(Schema):
    status: Status
    session_id: str
    agent_id: str
    session_file: str
    revision: int
    warnings: list[str]


@router.post(
    "/upload/sessions",
    auth=auth(Scope.UPLOAD),
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
