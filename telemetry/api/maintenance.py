"""Operations of the JSON API that remove stored data, or make it anew."""

from datetime import date
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.models import Scope, User
from telemetry.maintenance import pruning, reprocess
from telemetry.maintenance.reprocess import Mode
from telemetry.permissions import MANAGE_PROCESSING

router = Router(tags=["admin"])

# The answer comes with the web request, so it must come well before any proxy gives the request up.
RUN_SECONDS = 20
DRY_RUN = "only count what would be removed"


class Removed(Schema):
    events: int = 0
    messages: int = 0
    summaries: int = 0
    states: int = 0
    rollups: int = 0


class Reprocessing(Schema):
    """`kept` transcripts stay as they are, since retention removed their files; `waiting` ones wait for the
    worker. `complete`: nothing is left to remove, and figures and lake show it."""

    dry_run: bool
    mode: Mode
    transcripts: int
    kept: int
    removed: Removed
    waiting: int
    complete: bool


@router.post(
    "/reprocess",
    auth=auth(Scope.ADMIN, permission=MANAGE_PROCESSING),
    response={200: Reprocessing, 202: Reprocessing},
    summary="Have everything extracted anew",
)
def reprocess_usage(
    request: HttpRequest,
    dry_run: Annotated[bool, Query(description=DRY_RUN)] = False,
    session_by_session: Annotated[
        bool, Query(description="remove nothing beforehand: replace one transcript after another")
    ] = False,
) -> HttpStatus[dict[str, Any]]:
    """Removes what the processor `usage` extracted; the task worker extracts it anew.

    202 where more is to be removed than a request has time for: the worker goes on. What other processors
    found stays, and so do the roll-ups of days that were pruned.
    """
    assert isinstance(request.user, User)
    mode = Mode.BY_SESSION if session_by_session else Mode.AT_ONCE
    if dry_run:
        return HttpStatus(200, _reprocessing(reprocess.Outcome(reprocess.plan(mode)), dry_run=True))
    outcome = reprocess.reprocess(mode, actor=request.user, seconds=RUN_SECONDS)
    return HttpStatus(200 if outcome.is_complete else 202, _reprocessing(outcome))


def _reprocessing(outcome: reprocess.Outcome, *, dry_run: bool = False) -> dict[str, Any]:
    planned = outcome.plan
    return {
        "dry_run": dry_run,
        "mode": planned.mode,
        "transcripts": planned.transcripts,
        "kept": planned.kept,
        "removed": dict(planned.removed),
        "waiting": outcome.waiting,
        "complete": outcome.is_complete,
    }


class Pruned(Schema):
    """How many of what was removed, or would be. Days before `pruned_before` have no events any more.
    `waiting` transcripts keep their files until they are processed. `message` says what is left, or why
    nothing is pruned."""

    dry_run: bool
    retention_days: int
    transcripts_retention_days: int
    events: int
    messages: int
    transcripts: int
    pruned_before: date | None
    waiting: int
    complete: bool
    message: str


@router.post(
    "/prune",
    auth=auth(Scope.ADMIN, permission=MANAGE_PROCESSING),
    response={200: Pruned, 202: Pruned},
    summary="Remove what is older than the retention",
)
def prune_usage(
    request: HttpRequest, dry_run: Annotated[bool, Query(description=DRY_RUN)] = False
) -> HttpStatus[dict[str, Any]]:
    """Removes events and messages older than USAGE_EVENTS_RETENTION_DAYS, and files of transcripts older than
    TRANSCRIPTS_RETENTION_DAYS; roll-ups stay. It happens daily by itself.

    202 where something is left, which the task worker goes on with.
    """
    assert isinstance(request.user, User)
    outcome = pruning.plan() if dry_run else pruning.prune(actor=request.user, seconds=RUN_SECONDS)
    answer = {
        "dry_run": dry_run,
        "retention_days": settings.USAGE_EVENTS_RETENTION_DAYS,
        "transcripts_retention_days": settings.TRANSCRIPTS_RETENTION_DAYS,
        **{name: outcome.removed[name] for name in pruning.NAMES},
        "pruned_before": outcome.pruned_before,
        "waiting": outcome.waiting,
        "complete": outcome.is_complete,
        "message": outcome.why_not if outcome.retention.is_any else pruning.NOTHING,
    }
    return HttpStatus(200 if outcome.is_complete else 202, answer)
