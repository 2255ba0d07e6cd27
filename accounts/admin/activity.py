"""The page of the audit log: a timeline of who did what."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import activity
from accounts.activity_csv import ActivityExport
from accounts.admin_base import values_along_the_index
from accounts.errors import WrongActivityFilter
from accounts.models import AuditLog, ClientKind, User
from accounts.numbers import whole_number
from accounts.streaming import streamed

PERMISSION = "accounts.view_auditlog"
PAGE = 100
FIELDS = ("who", "action", "target", "since", "until", "client")
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Entry:
    """A row with the names of today."""

    row: AuditLog
    actor: str
    target: str

    @property
    def actor_url(self) -> str:
        return _person_url(self.row.actor)

    @property
    def target_url(self) -> str:
        if transcript_id := activity.transcript_in(self.row.target):
            return reverse("admin:telemetry_sessiontranscript_change", args=[transcript_id])
        return _person_url(activity.person_in(self.row.target))

    @property
    def params(self) -> list[tuple[str, str]]:
        return [(name.replace("_", " "), in_words(value)) for name, value in self.row.params.items()]


def in_words(value: Any) -> str:
    """A parameter's value, as text that is only shown."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(in_words(each) for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(each)}" for name, each in value.items()) or "none"
    return str(value)


@require_safe
def activity_page(request: HttpRequest) -> HttpResponse:
    _check(request)
    asked = {name: request.GET.get(name, "").strip() for name in FIELDS}
    try:
        rows, older, newer = _rows(request)
        problem = None
    except WrongActivityFilter as error:
        rows, older, newer, problem = [], None, None, error
    context = {
        **admin.site.each_context(request),
        "title": "Activity",
        "asked": asked,
        "is_filtered": any(asked.values()),
        "problem": problem,
        "days": list(by_day(_entries(rows))),
        "zone": timezone.get_current_timezone_name(),
        "actions": values_along_the_index(AuditLog, "action"),
        "clients": ClientKind.choices,
        "csv_url": f"{reverse('activity_csv')}?{_query(asked)}",
        "older_url": older and f"?{_query(asked, before=older)}",
        "newer_url": newer and f"?{_query(asked, after=newer)}",
    }
    return render(request, "admin/activity.html", context, status=422 if problem else 200)


@require_safe
def activity_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    _check(request)
    assert isinstance(request.user, User)
    try:
        filters = activity.read_filters(request.GET.dict())
    except WrongActivityFilter:
        # That page says what is wrong.
        return activity_page(request)
    if request.method == "HEAD":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    with ExitStack() as held:
        export = held.enter_context(closing(ActivityExport(filters, actor=request.user)))
        return streamed(
            request,
            export,
            held.pop_all(),
            content_type="text/csv; charset=utf-8",
            file_name=f"activity-{timezone.now():%Y-%m-%d}.csv",
        )


def by_day(entries: Iterable[Entry]) -> Iterator[tuple[date, list[Entry]]]:
    """Days of the reader's time zone."""
    for day, those in groupby(entries, key=lambda it: timezone.localtime(it.row.at).date()):
        yield day, list(those)


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _rows(request: HttpRequest) -> tuple[list[AuditLog], int | None, int | None]:
    """A page of rows, newest first, and the ids by which the pages after and before it are asked for."""
    rows = activity.find(activity.read_filters(request.GET.dict()))
    before, after = _id(request, BEFORE), _id(request, AFTER)
    if after:
        some = list(activity.newer_than(rows, after)[: PAGE + 1])
        is_first = len(some) <= PAGE
        page, has_older = some[:PAGE][::-1], True
    else:
        some = list((activity.older_than(rows, before) if before else rows)[: PAGE + 1])
        is_first = not before
        page, has_older = some[:PAGE], len(some) > PAGE
    return (
        page,
        page[-1].pk if page and has_older else None,
        page[0].pk if page and not is_first else None,
    )


def _id(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    pk = whole_number(text)
    if pk is None:
        raise WrongActivityFilter({name: "there is no such row"})
    return pk


def _entries(rows: list[AuditLog]) -> Iterator[Entry]:
    names = activity.names_in(rows)
    for row in rows:
        person = activity.person_in(row.target)
        yield Entry(row, _actor(row.actor, names), names.get(person or 0, row.target))


def _actor(actor: int | None, names: dict[int, str]) -> str:
    return names.get(actor, f"user:{actor}") if actor else "the server"


def _person_url(user_id: int | None) -> str:
    return reverse("admin:accounts_user_change", args=[user_id]) if user_id else ""


def _query(asked: dict[str, str], **more: object) -> str:
    return urlencode({**{name: value for name, value in asked.items() if value}, **more})
