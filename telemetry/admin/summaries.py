from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin_base import moment
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.filters import DaysFilter, PersonFilter
from telemetry.admin.formats import SHORT, cut, duration, large_number, list_link, number, transcript_link
from telemetry.models import UsageSessionSummary


class StartedFilter(DaysFilter):
    field = "started_at"


@admin.register(UsageSessionSummary)
class SessionSummaryAdmin(ExtractedAdmin):
    list_display = [
        "started", "person", "agent", "active", "prompts", "calls", "errors", "read", "written", "model_name",
        "transcript",
    ]  # fmt: skip
    list_filter = [StartedFilter, PersonFilter]
    ordering = ["-started_at"]

    @admin.display(description="started", empty_value="without a time")
    def started(self, summary: UsageSessionSummary) -> SafeString | str | None:
        return moment(summary.started_at) or None

    @admin.display(description="person")
    def person(self, summary: Any) -> SafeString:
        return list_link("usagesessionsummary", summary.username, person=summary.user_id)

    @admin.display(description="agent")
    def agent(self, summary: UsageSessionSummary) -> SafeString | str:
        return cut(summary.agent_id, SHORT) or "main"

    @admin.display(description="active")
    def active(self, summary: UsageSessionSummary) -> SafeString:
        return duration(summary.active_seconds)

    @admin.display(description="prompts")
    def prompts(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.user_messages)

    @admin.display(description="tool calls")
    def calls(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.tool_calls)

    @admin.display(description="errors")
    def errors(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.tool_errors)

    @admin.display(description="input tokens")
    def read(self, summary: UsageSessionSummary) -> SafeString:
        return large_number(summary.input_tokens)

    @admin.display(description="output tokens")
    def written(self, summary: UsageSessionSummary) -> SafeString:
        return large_number(summary.output_tokens)

    @admin.display(description="model")
    def model_name(self, summary: UsageSessionSummary) -> SafeString | str:
        return cut(summary.primary_model or "", 30)

    @admin.display(description="transcript")
    def transcript(self, summary: UsageSessionSummary) -> SafeString:
        return transcript_link(summary.session_file)
