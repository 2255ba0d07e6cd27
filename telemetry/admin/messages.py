from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin_base import moment
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.filters import IdDaysFilter
from telemetry.admin.formats import cut, large_number, transcript_link
from telemetry.models import UsageMessage


@admin.register(UsageMessage)
class UsageMessageAdmin(ExtractedAdmin):
    """Found by transcript or day: for a person there is no index, their sessions' summaries have the sums."""

    person_field = None
    search_help_text = "A whole session id, or the beginning of a session file (u7_…)."
    list_display = [
        "when",
        "model_name",
        "read",
        "written",
        "cache_read",
        "cache_written",
        "skill",
        "transcript",
    ]
    list_filter = [IdDaysFilter]
    ordering = ["-id"]

    @admin.display(description="at", empty_value="without a time")
    def when(self, message: UsageMessage) -> SafeString | str | None:
        return moment(message.occurred_at) or None

    @admin.display(description="model")
    def model_name(self, message: UsageMessage) -> SafeString | str:
        return cut(message.model or "", 30)

    @admin.display(description="input tokens")
    def read(self, message: UsageMessage) -> SafeString:
        return large_number(message.input_tokens)

    @admin.display(description="output tokens")
    def written(self, message: UsageMessage) -> SafeString:
        return large_number(message.output_tokens)

    @admin.display(description="cache read")
    def cache_read(self, message: UsageMessage) -> SafeString:
        return large_number(message.cache_read_tokens)

    @admin.display(description="cache creation")
    def cache_written(self, message: UsageMessage) -> SafeString:
        return large_number(message.cache_creation_tokens)

    @admin.display(description="skill")
    def skill(self, message: UsageMessage) -> SafeString | str:
        return cut(message.skill_name or "")

    @admin.display(description="transcript")
    def transcript(self, message: UsageMessage) -> SafeString:
        return transcript_link(message.session_file)
