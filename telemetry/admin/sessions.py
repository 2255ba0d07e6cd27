"""The sessions of everybody, and what the pages of sessions share."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.admin_base import ReadOnlyAdmin
from telemetry.admin.base import IMPORT, STYLES
from telemetry.errors import WrongFilter
from telemetry.models import Session
from telemetry.permissions import READ_TRANSCRIPTS
from telemetry.sessions.answering import download_url
from telemetry.sessions.filters import SessionFilter, read_filter
from telemetry.sessions.finding import Found, find_sessions
from telemetry.sessions.rows import SessionRow, TranscriptRow, session_rows

CSS = [*STYLES["all"], "agnes/sessions.css", "agnes/charts.css"]
PLACES = ("older", "newer")
# Of all sessions of a page together: one session may have thousands.
SUBAGENTS = 1_000
DAY = forms.DateInput(attrs={"type": "date"})


class SessionFilterForm(forms.Form):
    """Its fields are the filters; what they may be is checked where it is for every door."""

    since = forms.CharField(required=False, label="From (UTC)", widget=DAY)
    until = forms.CharField(required=False, label="to", widget=DAY)
    person = forms.CharField(required=False, label="Person")
    model = forms.CharField(required=False, label="Model")
    project = forms.CharField(required=False, label="Project folder")
    plugin = forms.CharField(required=False, label="Plugin")
    errors = forms.BooleanField(required=False, label="With errors")  # type: ignore[assignment]

    def __init__(self, asked: Mapping[str, str], *, only: tuple[str, ...] = ()) -> None:
        super().__init__(asked, label_suffix="")
        if only:
            self.fields = {name: field for name, field in self.fields.items() if name in only}


class SessionList:
    """One page of sessions for a template, as the address asks; `problem` where it asks for nonsense."""

    def __init__(
        self, asked: Mapping[str, str], *, user_id: int | None = None, fields: tuple[str, ...] = ()
    ) -> None:
        self.asked = {name: value for name, value in asked.items() if value}
        self.form = SessionFilterForm(asked, only=fields)
        self.user_id = user_id
        self.problem: WrongFilter | None = None
        self.rows: list[dict[str, Any]] = []
        self.found: Found | None = None
        self.lacks_subagents = False
        self.older = self.newer = self.first = self.onwards = ""
        try:
            self._find()
        except WrongFilter as error:
            self.problem = error

    @property
    def is_filtered(self) -> bool:
        return any(name in self.form.fields for name in self.asked)

    @property
    def is_of_all(self) -> bool:
        return self.user_id is None

    def _find(self) -> None:
        older, newer = (self.asked.get(name, "") for name in PLACES)
        found = find_sessions(self._filter(), older=older, newer=newer)
        rows = session_rows(found.sessions, subagents=SUBAGENTS)
        self.rows = [_with_links(row) for row in rows]
        self.lacks_subagents = sum(len(row.subagents) for row in rows) >= SUBAGENTS
        self.older = self._address(older=found.older) if found.older else ""
        self.newer = self._address(newer=found.newer) if found.newer else ""
        self.first = self._address() if self.newer else ""
        self.onwards = self.newer if newer else self.older
        self.found = found

    def _filter(self) -> SessionFilter:
        known = {name: self.asked[name] for name in self.form.fields if name in self.asked}
        filter = read_filter(known, whole_days=True)
        return filter if self.user_id is None else filter.of(self.user_id)

    def _address(self, **place: str) -> str:
        kept = {name: value for name, value in self.asked.items() if name not in PLACES}
        return f"?{urlencode({**kept, **place})}#sessions"


def _with_links(row: SessionRow) -> dict[str, Any]:
    return {
        "row": row,
        "links": _links(row),
        "subagents": [{"row": it, "links": _links(it)} for it in row.subagents],
    }


def _links(row: TranscriptRow) -> dict[str, str]:
    it = row.transcript
    reading = reverse("admin:telemetry_sessiontranscript_read", args=[it.session_file])
    return {"read": reading, "download": download_url(it.owner_id, it.session_file)}


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Every session of everybody, for those who may read transcripts."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(READ_TRANSCRIPTS)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        listed = SessionList(request.GET.dict())
        context = {
            **self.admin_site.each_context(request),
            "title": "Sessions",
            "opts": Session._meta,
            "list": listed,
            "next_step": IMPORT,
            "css": CSS,
        }
        status = listed.problem.status if listed.problem else 200
        return render(request, "admin/telemetry/session/change_list.html", context, status=status)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """There is one page for a transcript, whatever leads there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        transcript = self.get_object(request, object_id)
        if transcript is None:
            raise Http404("There is no such session.")
        return redirect("admin:telemetry_sessiontranscript_read", transcript.session_file)
