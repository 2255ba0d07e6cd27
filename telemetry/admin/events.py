from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin_base import chip, moment
from telemetry.admin.ask import AskButton
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.export import ExportButton
from telemetry.admin.filters import IdDaysFilter, PersonFilter, RareValuesFilter
from telemetry.admin.formats import NARROW, cut, list_link, transcript_link, words
from telemetry.models import ErrorKind, EventType, Source, UsageEvent

ERROR_CHIPS = {
    ErrorKind.REJECTED: "look",
    ErrorKind.CANCELLED: "look",
    ErrorKind.EXIT_CODE: "bad",
    ErrorKind.TOOL_ERROR: "bad",
    ErrorKind.OTHER: "bad",
}


class EventTypeFilter(RareValuesFilter):
    title, parameter_name = "event type", "event_type"
    choices_of, common = EventType, EventType.TOOL_USE


class SourceFilter(RareValuesFilter):
    title, parameter_name = "source", "source"
    choices_of, common = Source, Source.BUILTIN


class ErrorKindFilter(RareValuesFilter):
    title, parameter_name = "error kind", "error_kind"
    choices_of, common = ErrorKind, ErrorKind.NONE


@admin.register(UsageEvent)
class UsageEventAdmin(AskButton, ExportButton, ExtractedAdmin):
    list_display = ["when", "person", "kind", "name", "item", "outcome", "model_name", "transcript"]
    list_filter = [EventTypeFilter, SourceFilter, ErrorKindFilter, IdDaysFilter, PersonFilter]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["event_type", "name", "transcript", "person", "occurred_at"]}),
        ("What", {"fields": ["tool_name", "skill_name", "subagent_type", "command_name", "invoked_by"]}),
        ("Outcome", {"fields": ["is_error", "error_kind"]}),
        (
            "Credit",
            {
                "fields": [
                    "source", "ref_id", "component_kind", "component_name", "is_builtin",
                    "evidence_marketplace", "evidence_plugin", "evidence_version",
                ]
            },
        ),
        ("Where", {"fields": ["model", "cwd", "git_branch", "cli_version"]}),
        (
            "Identity",
            {
                "fields": [
                    "id", "session_id", "agent_id", "event_uuid", "parent_uuid", "processor_version",
                    "extracted_at",
                ]
            },
        ),
    ]  # fmt: skip

    @admin.display(description="at", empty_value="without a time")
    def when(self, event: UsageEvent) -> SafeString | str | None:
        return moment(event.occurred_at) or None

    @admin.display(description="person")
    def person(self, event: Any) -> SafeString:
        return list_link("usageevent", cut(event.username, NARROW), person=event.user_id)

    @admin.display(description="type")
    def kind(self, event: UsageEvent) -> SafeString:
        return chip(words(event.event_type))

    @admin.display(description="name")
    def name(self, event: UsageEvent) -> SafeString | str:
        command = f"/{event.command_name}" if event.command_name else None
        return cut(event.skill_name or event.subagent_type or command or event.tool_name or "", NARROW)

    @admin.display(description="item", empty_value="builtin")
    def item(self, event: UsageEvent) -> SafeString | str | None:
        return cut(f"{event.source}: {event.ref_id}", NARROW) if event.ref_id else None

    @admin.display(description="outcome")
    def outcome(self, event: UsageEvent) -> SafeString | str:
        if event.is_error is None:
            return chip("no answer")
        kind = ErrorKind(event.error_kind)
        return "" if kind == ErrorKind.NONE else chip(words(kind), ERROR_CHIPS[kind])

    @admin.display(description="model")
    def model_name(self, event: UsageEvent) -> SafeString | str:
        return cut(event.model or "", NARROW)

    @admin.display(description="transcript")
    def transcript(self, event: UsageEvent) -> SafeString:
        return transcript_link(event.session_file)
