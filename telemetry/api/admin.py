"""Operations of the JSON API that admins run the server with."""

from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema

from accounts.api_auth import auth
from accounts.models import Scope, User
from telemetry.api.maintenance import router as maintenance_router
from telemetry.api.sessions import router as sessions_router
from telemetry.ask.asking import answer_of, ask
from telemetry.errors import WrongFilter
from telemetry.export import answering, moments
from telemetry.export.datasets import Dataset
from telemetry.export.filters import read_filters
from telemetry.export.formats import Format
from telemetry.models import SessionTranscript, Source
from telemetry.permissions import ASK_USAGE, EXPORT_USAGE, MANAGE_PROCESSING
from telemetry.processors.processing import run_by_hand

router = Router(tags=["admin"])
router.add_router("/users", sessions_router)
router.add_router("/usage", maintenance_router)

EXPORT_CONTENT = {
    format.content_type: {"schema": {"type": "string", "format": "binary"}} for format in Format
}

# The run ends with the web request, so it must end well before any proxy gives the request up.
RUN_SECONDS = 25


class ProcessorRun(Schema):
    processed: int
    failed: int
    items: int
    seconds: float
    published_days: int
    left: bool
    given_up: int


@router.post(
    "/run-session-processor",
    auth=auth(Scope.ADMIN, permission=MANAGE_PROCESSING),
    response=ProcessorRun,
    summary="Process what is pending",
)
def run_session_processor(
    request: HttpRequest, processor: Annotated[str, Query(description="usage or verification")] = "usage"
) -> dict[str, Any]:
    """Runs for about 25 seconds at most; `left` says that something is still to be done, so call it again.

    A transcript that fails is left for the next call, and given up after three attempts: `given_up` says how
    many wait for an operator by now.
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
        "given_up": report.given_up,
    }


@router.get(
    "/usage/export",
    auth=auth(Scope.ADMIN, permission=EXPORT_USAGE),
    summary="Export usage data",
    openapi_extra={
        "responses": {200: {"description": "The rows, as a download.", "content": EXPORT_CONTENT}, 503: {}}
    },
)
def export_usage(
    request: HttpRequest,
    dataset: Annotated[str | None, Query(description=f"{', '.join(Dataset)}; default events")] = None,
    format: Annotated[str | None, Query(description=f"{', '.join(Format)}; default csv")] = None,
    since: Annotated[str | None, Query(description=f"inclusive: {moments.EXAMPLE}")] = None,
    until: Annotated[str | None, Query(description="exclusive")] = None,
    user_id: Annotated[str | None, Query(description="one person")] = None,
    source: Annotated[str | None, Query(description=", ".join(Source.values))] = None,
    spreadsheet_safe: Annotated[str | None, Query(description="1: for CSV that a spreadsheet opens")] = None,
) -> StreamingHttpResponse:
    """Streamed, in the order of time and id. `X-Agnes-As-Of` says up to when the data is complete,
    `X-Agnes-Rows` how many rows there are.

    A connection that breaks is an error on the way: what came by then is not everything.
    """
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    if twice:
        raise WrongFilter(dict.fromkeys(twice, "only once"))
    return answering.answer(request, read_filters(request.GET.dict()))


class Question(Schema):
    question: str


class AskAnswer(Schema):
    """Rows are objects; `as_of`: what was committed before it is in."""

    sql: str
    # The engine refused it, and the model wrote another; empty where the first was good.
    first_sql: str
    rationale: str
    assumptions: str
    columns: list[str]
    rows: list[dict[str, Any]]
    row_count: int
    truncated: bool
    duration_ms: int
    model_ms: int
    total_ms: int
    model: str
    as_of: str | None


@router.post(
    "/usage/ask",
    auth=auth(Scope.ADMIN, permission=ASK_USAGE),
    response=AskAnswer,
    summary="Ask in plain language",
    openapi_extra={"responses": {429: {}, 502: {}, 503: {}, 504: {}}},
)
def ask_usage(request: HttpRequest, body: Question) -> dict[str, Any]:
    """A model writes one SELECT; it is checked, and run on the lake. Result rows never go to the model.

    Where it is refused or fails, `error.fields` have the statement as `sql`, and the `rule` that refused it.
    """
    assert isinstance(request.user, User)
    return answer_of(ask(body.question, actor=request.user))
