"""The page from which usage data is exported, and the button that leads there."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from accounts.errors import AgnesError
from telemetry.errors import WrongFilter
from telemetry.export.answering import answer
from telemetry.export.datasets import Dataset
from telemetry.export.filters import Filters, read_filters
from telemetry.export.formats import Format
from telemetry.lake.reading import current_snapshot
from telemetry.models import Source, UsageEvent
from telemetry.permissions import EXPORT_USAGE

DATASETS = {
    Dataset.EVENTS: "Events: every tool call and slash command",
    Dataset.MESSAGES: "Messages, with their tokens",
    Dataset.SESSIONS: "Session summaries",
    Dataset.TOOL_DAILY: "Tools by day",
    Dataset.PLUGIN_DAILY: "Plugins by day",
}
FORMATS = {
    Format.CSV: "CSV, safe for spreadsheets",
    Format.JSON: "JSON: one array of objects",
    Format.NDJSON: "NDJSON: one object a line",
    Format.PARQUET: "Parquet",
}
DAY = forms.DateInput(attrs={"type": "date"})


class ExportForm(forms.Form):
    """Its fields are the filters; what they may be is checked where it is for every door."""

    dataset = forms.ChoiceField(choices=list(DATASETS.items()), label="Data set")
    format = forms.ChoiceField(choices=list(FORMATS.items()))
    since = forms.CharField(required=False, label="From", widget=DAY, help_text="This day (UTC) is included.")
    until = forms.CharField(required=False, label="Until", widget=DAY, help_text="This day is not included.")
    person = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="The e-mail address; empty for everybody.",
    )
    source = forms.ChoiceField(choices=[("", "Any"), *Source.choices], required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            self.filters = self._read(data)
        except WrongFilter as error:
            for name, what in error.fields.items():
                self.add_error({"user_id": "person"}.get(name, name), f"{what[:1].upper()}{what[1:]}.")
        return data

    def _read(self, data: dict[str, Any]) -> Filters:
        values = {name: value for name, value in data.items() if value and name != "person"}
        if data.get("person"):
            values["user_id"] = data["person"]
        if data.get("format") == Format.CSV:
            values["spreadsheet_safe"] = "1"
        return read_filters(values, by_address=True)


class ExportButton(admin.ModelAdmin):  # type: ignore[type-arg]
    """For a list that has the page as `export/`."""

    change_list_template = "admin/telemetry/exportable_change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = path("export/", self.admin_site.admin_view(export_page), name="telemetry_usageevent_export")
        return [view, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_export": request.user.has_perm(EXPORT_USAGE)}
        return super().changelist_view(request, {**(extra_context or {}), **may})


@require_http_methods(["GET", "POST"])
def export_page(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    if not request.user.has_perm(EXPORT_USAGE):
        raise PermissionDenied
    form = ExportForm(request.POST if request.method == "POST" else None)
    problem: AgnesError | None = None
    if form.is_bound and form.is_valid():
        try:
            return answer(request, form.filters)
        except AgnesError as error:
            problem = error
    return _page(request, form, problem)


def _page(request: HttpRequest, form: ExportForm, problem: AgnesError | None) -> HttpResponse:
    as_of = None
    try:
        as_of = parse_datetime(current_snapshot().as_of or "")
    except AgnesError as error:
        problem = problem or error
    context = {
        **admin.site.each_context(request),
        "title": "Export",
        "opts": UsageEvent._meta,
        "form": form,
        "problem": problem,
        "as_of": as_of,
    }
    return render(request, "admin/telemetry/export.html", context, status=_status(form, problem))


def _status(form: ExportForm, problem: AgnesError | None) -> int:
    """Whoever only looks at the page gets it, even where an export would fail."""
    if problem and form.is_bound:
        return problem.status
    return 422 if form.errors else 200
