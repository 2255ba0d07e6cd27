"""Operations of the JSON API that admins run the server with."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.api_auth import auth
from accounts.models import Scope, User
from telemetry.models import SessionTranscript
from telemetry.processing import run_by_hand

router = Router(tags=["admin"])

# The run ends with the web request, so it must end well before any proxy gives the request up.
RUN_SECONDS = 25


class ProcessorRun(Schema):
    processed: int
    failed: int
    items: int
    seconds: float
    published_days: int
    left: bool


@router.post(
    "/run-session-processor",
    auth=auth(Scope.ADMIN, permission="telemetry.manage_processing"),
    response=ProcessorRun,
    summary="Process what is pending",
)
def run_session_processor(
    request: HttpRequest, processor: Annotated[str, Query(description="usage or verification")] = "usage"
) -> dict[str, Any]:
    """Runs for about 25 seconds at most; `left` says that something is still to be done, so call it again.

    A transcript that fails is left for the next call, and given up after three attempts.
    """
    assert isinstance(request.user, User)
    report = run_by_hand(processor, actor=request.user, seconds=RUN_SECONDS)
    return {
        "processed": report.processed,
        "failed": report.failed,
        "items": report.items,
        "seconds": report.seconds,
        "published_days": report.published_days,
        "left": report.out_of_time or SessionTranscript.objects.pending(processor).exists(),
    }
