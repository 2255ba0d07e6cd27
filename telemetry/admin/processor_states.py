from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin_base import UncountedChangeList, moment
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.formats import EMAIL, cut, number, transcript_link
from telemetry.admin.publishing import TellsOfPublishing
from telemetry.models import SessionProcessorState, SessionTranscript
from telemetry.processors.progress import State, attempts_in, claims_on, state_of
from telemetry.processors.registry import PROCESSORS


class TroubleFilter(admin.SimpleListFilter):
    """What never began has no row here: the list of transcripts finds it."""

    title, parameter_name = "trouble", "state"
    choices_by_value = {
        f"{name}-{state.name.lower()}": (name, state)
        for name in PROCESSORS
        for state in (State.FAILED, State.GIVEN_UP)
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, f"{name}: {state}") for value, (name, state) in self.choices_by_value.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.choices_by_value:
            return queryset
        name, state = self.choices_by_value[str(self.value())]
        same_revision = SessionTranscript.objects.filter(
            session_file=OuterRef("session_file"), revision=OuterRef("revision")
        )
        open_rows = queryset.filter(processed_at__isnull=True, processor_name=name)
        return open_rows.filter(attempts_in(state)).filter(Exists(same_revision))


class ProcessorStateChangeList(UncountedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        claims = claims_on({row.owner_id for row in self.result_list})
        for row in self.result_list:
            row.is_claimed = (row.processor_name, row.owner_id) in claims


def error_of(row: Any) -> str:
    """While a transcript is worked on, what its row would say if the worker died is not true yet."""
    at_work = state_of(row, row.current_revision, is_claimed=row.is_claimed) is State.WORKING
    return "" if at_work else row.last_error or ""


@admin.register(SessionProcessorState)
class ProcessorStateAdmin(TellsOfPublishing, ExtractedAdmin):
    person_field = None
    search_help_text = "A whole session id, or the beginning of a session file (u7_…)."
    list_display = [
        "processor", "transcript", "person", "state", "tries", "items", "processed", "version", "error",
    ]  # fmt: skip
    list_filter = [TroubleFilter]
    ordering = ["-id"]
    fields = [
        "processor_name", "session_file", "person", "processed_at", "items_extracted", "revision",
        "processor_version", "attempts", "last_error",
    ]  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ProcessorStateChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        transcript = SessionTranscript.objects.filter(session_file=OuterRef("session_file")).order_by()
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.annotate(
            current_revision=Subquery(transcript.values("revision")),
            owner_id=Subquery(transcript.values("owner_id")),
        )
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.is_claimed = (row.processor_name, row.owner_id) in claims_on({row.owner_id})
            row.last_error = error_of(row)
        return row

    @admin.display(description="processor")
    def processor(self, row: SessionProcessorState) -> str:
        return row.processor_name

    @admin.display(description="transcript")
    def transcript(self, row: SessionProcessorState) -> SafeString:
        return transcript_link(row.session_file)

    @admin.display(description="person")
    def person(self, row: SessionProcessorState) -> SafeString | str:
        return cut(row.username, EMAIL)

    @admin.display(description="state")
    def state(self, row: Any) -> SafeString:
        return state_of(row, row.current_revision, is_claimed=row.is_claimed).chip

    @admin.display(description="attempts")
    def tries(self, row: SessionProcessorState) -> SafeString:
        return number(row.attempts)

    @admin.display(description="items")
    def items(self, row: SessionProcessorState) -> SafeString:
        return number(row.items_extracted)

    @admin.display(description="processed")
    def processed(self, row: SessionProcessorState) -> SafeString | str:
        return moment(row.processed_at)

    @admin.display(description="version")
    def version(self, row: SessionProcessorState) -> SafeString:
        return number(row.processor_version)

    @admin.display(description="error")
    def error(self, row: Any) -> SafeString | str:
        return cut(error_of(row), 60)
