from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin, UncountedChangeList, moment
from accounts.models import User
from telemetry.admin import searching
from telemetry.admin.base import IMPORT, STYLES
from telemetry.admin.filters import DaysFilter, PersonFilter
from telemetry.admin.formats import EMAIL, SHORT, cut, file_size, list_link, number
from telemetry.admin.reading import TranscriptReading
from telemetry.models import (
    SessionTranscript,
    SessionTranscriptPart,
    UsageSessionSummary,
    VerificationFinding,
)
from telemetry.permissions import MANAGE_PROCESSING, READ_TRANSCRIPTS
from telemetry.processors.progress import Progress, State, in_state, progress_of
from telemetry.processors.registry import PROCESSORS
from telemetry.processors.reprocessing import process_again

FILTERED_STATES = (State.WAITING, State.FAILED, State.GIVEN_UP, State.DONE)


class OwnerFilter(PersonFilter):
    field = "owner_id"


class ReceivedFilter(DaysFilter):
    field = "received_at"


class StateFilter(admin.SimpleListFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.name.lower(), state.value) for state in FILTERED_STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        state = next((state for state in FILTERED_STATES if state.name.lower() == self.value()), None)
        return in_state(queryset, str(self.parameter_name), state) if state else queryset  # type: ignore[arg-type]


def state_filter(processor_name: str) -> type[StateFilter]:
    attributes = {"title": f"processor {processor_name}", "parameter_name": processor_name}
    return type(f"{processor_name.title()}StateFilter", (StateFilter,), attributes)


def state_column(processor_name: str) -> Callable[[Any], SafeString]:
    @admin.display(description=processor_name)
    def column(transcript: Any) -> SafeString:
        progress: list[Progress] = transcript.progress
        return next(it.state.chip for it in progress if it.processor_name == processor_name)

    return column


class TranscriptChangeList(UncountedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        _attach_sizes(self.result_list)
        progress = progress_of(self.result_list)
        for transcript in self.result_list:
            transcript.progress = progress[transcript.session_file]


@admin.register(SessionTranscript)
class TranscriptAdmin(TranscriptReading, ReadOnlyAdmin):
    """Nobody adds, changes or deletes transcripts here; who manages processing may have them done again."""

    change_form_template = "admin/telemetry/sessiontranscript/change_form.html"
    list_display = [
        "session", "agent", "person", "received", *map(state_column, PROCESSORS), "size", "parts", "error",
    ]  # fmt: skip
    list_filter = [*map(state_filter, PROCESSORS), ReceivedFilter, OwnerFilter]
    list_select_related = ["owner"]
    search_fields = ["session_file"]
    search_help_text = searching.HELP
    ordering = ["-received_at"]
    next_step = IMPORT
    actions = ["process_again"]
    fields = [
        "person", "session_id", "agent", "session_file", "recorded", "received", "updated", "client_version",
        "revision",
    ]  # fmt: skip

    class Media:
        css = STYLES

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TranscriptChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = searching.find(term)
        return queryset.filter(
            **({"owner_id": found.user_id} if found.user_id else {"pk__in": list(found.transcripts)})
        ), False

    def get_urls(self) -> list[URLPattern]:
        view = path(
            "<path:object_id>/process-again/",
            self.admin_site.admin_view(self.process_again_view),
            name="telemetry_sessiontranscript_process_again",
        )
        return [view, *super().get_urls()]

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_PROCESSING)

    @admin.action(description="Process again", permissions=["reprocess"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        assert isinstance(request.user, User)
        count = process_again(queryset, by=request.user)  # type: ignore[arg-type]
        what = "transcript waits" if count == 1 else "transcripts wait"
        self.message_user(request, f"{count} {what} to be processed again.", messages.SUCCESS)

    @method_decorator(require_POST)
    def process_again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of the detail page."""
        if not (self.has_view_permission(request) and self.has_reprocess_permission(request)):
            raise PermissionDenied
        transcript = self.get_object(request, unquote(object_id))
        if transcript is None:
            raise Http404("There is no such transcript.")
        self.process_again(request, self.get_queryset(request).filter(pk=transcript.pk))
        return redirect("admin:telemetry_sessiontranscript_change", transcript.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        transcript = self.get_object(request, unquote(object_id))
        about = _about(transcript) if transcript else {}
        may = {
            "may_process_again": self.has_reprocess_permission(request),
            "may_read": request.user.has_perm(READ_TRANSCRIPTS),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about, **may})

    @admin.display(description="session")
    def session(self, transcript: SessionTranscript) -> SafeString | str:
        return cut(transcript.session_id, SHORT)

    @admin.display(description="person")
    def person(self, transcript: SessionTranscript) -> SafeString:
        return list_link("sessiontranscript", cut(transcript.owner.email, EMAIL), person=transcript.owner_id)

    @admin.display(description="agent")
    def agent(self, transcript: SessionTranscript) -> SafeString | str:
        return cut(transcript.agent_id, SHORT) or "main"

    @admin.display(description="received")
    def received(self, transcript: SessionTranscript) -> SafeString | str:
        return moment(transcript.received_at)

    @admin.display(description="changed")
    def updated(self, transcript: SessionTranscript) -> SafeString | str:
        return moment(transcript.updated_at)

    @admin.display(description="recorded")
    def recorded(self, transcript: SessionTranscript) -> SafeString | str:
        if not (transcript.first_at and transcript.last_at):
            return "without a time"
        return format_html("{} to {}", moment(transcript.first_at), moment(transcript.last_at))

    @admin.display(description="size")
    def size(self, transcript: Any) -> SafeString:
        return file_size(transcript.live_bytes)

    @admin.display(description="parts")
    def parts(self, transcript: Any) -> SafeString:
        return number(transcript.live_parts)

    @admin.display(description="error")
    def error(self, transcript: Any) -> SafeString:
        errors = [(it.processor_name, cut(it.error, 60)) for it in transcript.progress if it.error]
        return format_html_join(" · ", "{}: {}", errors)


def _attach_sizes(transcripts: Sequence[Any]) -> None:
    """How many parts count, and how large they are uncompressed."""
    parts = SessionTranscriptPart.objects.filter(transcript__in=transcripts, superseded=False)
    sizes = {
        row["transcript_id"]: row
        for row in parts.values("transcript_id").annotate(parts=Count("id"), size=Sum("raw_bytes"))
    }
    for transcript in transcripts:
        row = sizes.get(transcript.pk, {"parts": 0, "size": 0})
        transcript.live_parts, transcript.live_bytes = row["parts"], row["size"]


def _about(transcript: SessionTranscript) -> dict[str, Any]:
    """What the detail page shows beside the row itself."""
    session_file = transcript.session_file
    progress: list[Progress] = progress_of([transcript])[session_file]
    summary = UsageSessionSummary.objects.filter(session_file=session_file).first()
    return {
        "parts": transcript.parts.defer("fingerprint").order_by("-received_at", "-id"),
        "progress": progress,
        "findings": VerificationFinding.objects.filter(session_file=session_file).order_by("kind", "detail"),
        "summary": summary,
    }
