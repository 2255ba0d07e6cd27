from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin_base import moment
from accounts.admin_details import Shown, shown
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.filters import DaysFilter, PersonFilter
from telemetry.admin.formats import (
    EMAIL,
    SHORT,
    cut,
    duration,
    large_number,
    list_link,
    number,
    transcript_link,
)
from telemetry.models import UsageSessionSummary


def figures(**labels: str) -> list[Shown]:
    return [shown(name, number, label) for name, label in labels.items()]


# All that a summary holds, in the order in which one asks for it.
DETAILS: list[tuple[str, list[Any]]] = [
    (
        "Session",
        [
            "person",
            "session_id",
            "agent_id",
            "transcript",
            "model_name",
            shown("cwd", str, "working folder"),
            shown("cli_version", str, "client version"),
        ],
    ),
    (
        "Times",
        [
            "started",
            shown("ended_at", moment, "ended"),
            "active",
            shown("wall_seconds", duration, "from first to last record"),
        ],
    ),
    (
        "Prompts and messages",
        figures(
            user_messages="prompts",
            programmatic_prompts="prompts by programs",
            assistant_messages="messages",
            compactions="compactions",
            interruptions="interruptions",
        ),
    ),
    (
        "Calls",
        figures(
            tool_calls="tool calls",
            distinct_tools="different tools",
            skill_invocations="skills invoked",
            distinct_skills="different skills",
            subagent_dispatches="subagents started",
            mcp_calls="MCP calls",
            slash_commands="slash commands",
            builtin_commands="builtin commands",
            server_tool_calls="server tool calls",
            events="events",
        ),
    ),
    (
        "Errors",
        figures(
            tool_errors="tool errors",
            rejections="rejected",
            cancelled="cancelled",
            unanswered="unanswered",
            api_errors="API errors",
            api_retries="API retries",
            malformed_lines="malformed lines",
        ),
    ),
    (
        "Tokens",
        figures(
            input_tokens="input",
            output_tokens="output",
            cache_read_tokens="cache read",
            cache_creation_tokens="cache creation",
        ),
    ),
    ("Extraction", ["session_file", *figures(lines="lines"), "processor_version", "extracted_at"]),
]


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
    fieldsets = [(title, {"fields": fields}) for title, fields in DETAILS]

    @admin.display(description="started", empty_value="without a time")
    def started(self, summary: UsageSessionSummary) -> SafeString | str | None:
        return moment(summary.started_at) or None

    @admin.display(description="person")
    def person(self, summary: Any) -> SafeString:
        return list_link("usagesessionsummary", cut(summary.username, EMAIL), person=summary.user_id)

    @admin.display(description="agent")
    def agent(self, summary: UsageSessionSummary) -> SafeString | str:
        return cut(summary.agent_id, SHORT) or "main"

    @admin.display(description="active")
    def active(self, summary: UsageSessionSummary) -> SafeString:
        return duration(summary.active_seconds)

    @admin.display(description="prompts")
    def prompts(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.user_messages)

    @admin.display(description="calls")
    def calls(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.tool_calls)

    @admin.display(description="errors")
    def errors(self, summary: UsageSessionSummary) -> SafeString:
        return number(summary.tool_errors)

    @admin.display(description="tokens in")
    def read(self, summary: UsageSessionSummary) -> SafeString:
        return large_number(summary.input_tokens)

    @admin.display(description="tokens out")
    def written(self, summary: UsageSessionSummary) -> SafeString:
        return large_number(summary.output_tokens)

    @admin.display(description="model")
    def model_name(self, summary: UsageSessionSummary) -> SafeString | str:
        return cut(summary.primary_model or "", 30)

    @admin.display(description="transcript")
    def transcript(self, summary: UsageSessionSummary) -> SafeString:
        return transcript_link(summary.session_file)
