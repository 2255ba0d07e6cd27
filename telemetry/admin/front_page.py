"""The admin's front page: everybody sees the parts that they have the permission for."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.admin_base import moment
from accounts.models import User
from telemetry.admin.formats import list_url, words
from telemetry.dashboard import machine
from telemetry.dashboard.charts import cards
from telemetry.dashboard.figures import (
    DEFAULT_RANGE,
    RANGES,
    daily,
    last_days,
    top_plugins,
    top_skills,
    top_tools,
)
from telemetry.files import disk
from telemetry.models import PublishingState
from telemetry.permissions import MANAGE_PROCESSING


def front_page_context(request: HttpRequest) -> dict[str, Any]:
    """Empty of what the reader may not see."""
    user = request.user
    assert isinstance(user, User)
    window = last_days(_asked_range(request))
    context: dict[str, Any] = {"window": window, "ranges": RANGES}
    if user.has_perm("telemetry.view_usagedaily"):
        context["cards"] = cards(daily(window))
    context["tops"] = [
        (title, meaning, rows(window))
        for permission, title, meaning, rows in TOPS
        if user.has_perm(f"telemetry.{permission}")
    ]
    if user.has_perm("telemetry.view_sessiontranscript"):
        context |= _machine_context(user)
    elif context.get("cards") or context["tops"]:
        context["as_of"] = moment(PublishingState.objects.values_list("as_of", flat=True).first())
    if user.has_perm("telemetry.view_verificationfinding"):
        context["findings"] = [
            (words(kind), count, list_url("verificationfinding", kind=kind))
            for kind, count in machine.findings()
        ]
    return context


TOPS = (
    ("view_usageplugindaily", "Plugins", "Of marketplaces.", top_plugins),
    ("view_usagecomponentdaily", "Skills", "Of marketplace plugins.", top_skills),
    ("view_usagetooldaily", "Tools", "Of Claude Code and of MCP servers.", top_tools),
)


@require_POST
def retry_failed(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    if not request.user.has_perm(MANAGE_PROCESSING):
        raise PermissionDenied
    count = machine.retry_failed(by=request.user)
    what = "transcript waits" if count == 1 else "transcripts wait"
    messages.success(request, f"{count} {what} to be processed again.")
    return redirect("admin:index")


def _machine_context(user: User) -> dict[str, Any]:
    state = machine.machine(user)
    return {
        "machine": state,
        "waiting": machine.waiting(),
        "lake_bytes": machine.lake_bytes(),
        "disk": disk.look(),
        "as_of": moment(state.as_of),
        "may_retry": user.has_perm(MANAGE_PROCESSING),
        "failed_url": list_url("sessiontranscript", usage="given_up"),
        "waiting_url": list_url("sessiontranscript", usage="waiting"),
    }


def _asked_range(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((length for length in RANGES if str(length) == asked), DEFAULT_RANGE)
