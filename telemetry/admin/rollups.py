"""Figures by day and by window, newest day and most used first."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.admin_base import NextStep, moment
from accounts.models import User
from telemetry.admin.base import EXTRACT, MARKETPLACE, STYLES
from telemetry.admin.filters import PersonFilter, WholeDaysFilter
from telemetry.admin.formats import EMAIL, cut, large_number, list_link, number
from telemetry.admin.publishing import TellsOfPublishing
from telemetry.models import (
    PublishingState,
    UsageComponentDaily,
    UsageDaily,
    UsagePluginDaily,
    UsagePluginWindow,
    UsageToolDaily,
    UsageUserDaily,
)


class RollupAdmin(TellsOfPublishing):
    change_list_template = "admin/telemetry/rollup_change_list.html"
    ordering = ["-day", "-invocations"]
    next_step: NextStep | None = EXTRACT

    class Media:
        css = STYLES

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        as_of = PublishingState.objects.values_list("as_of", flat=True).first()
        return super().changelist_view(request, {**(extra_context or {}), "as_of": moment(as_of)})

    @admin.display(description="tool")
    def tool(self, row: Any) -> SafeString | str:
        return cut(row.tool_name)

    @admin.display(description="item", empty_value="builtin")
    def item(self, row: Any) -> SafeString | str | None:
        return cut(f"{row.source}: {row.ref_id}") if row.ref_id else None

    @admin.display(description="invocations")
    def used(self, row: Any) -> SafeString:
        return number(row.invocations)

    @admin.display(description="errors")
    def failed(self, row: Any) -> SafeString:
        return number(row.error_count)

    @admin.display(description="people")
    def by_people(self, row: Any) -> SafeString:
        return number(row.distinct_users)

    @admin.display(description="sessions")
    def in_sessions(self, row: Any) -> SafeString:
        return number(row.distinct_sessions)

    @admin.display(description="input tokens")
    def read(self, row: Any) -> SafeString:
        return large_number(row.input_tokens)

    @admin.display(description="output tokens")
    def written(self, row: Any) -> SafeString:
        return large_number(row.output_tokens)

    @admin.display(description="cache read")
    def cache_read(self, row: Any) -> SafeString:
        return large_number(row.cache_read_tokens)

    @admin.display(description="cache creation")
    def cache_written(self, row: Any) -> SafeString:
        return large_number(row.cache_creation_tokens)


@admin.register(UsageToolDaily)
class ToolDailyAdmin(RollupAdmin):
    list_display = ["day", "tool", "source", "used", "failed", "by_people", "in_sessions"]
    list_filter = [WholeDaysFilter]


@admin.register(UsagePluginDaily)
class PluginDailyAdmin(RollupAdmin):
    next_step = MARKETPLACE
    list_display = ["day", "item", "used", "failed", "by_people", "in_sessions"]
    list_filter = [WholeDaysFilter]


@admin.register(UsageComponentDaily)
class ComponentDailyAdmin(RollupAdmin):
    next_step = MARKETPLACE
    list_display = ["day", "item", "component", "used", "failed", "by_people", "in_sessions"]
    list_filter = [WholeDaysFilter]

    @admin.display(description="component")
    def component(self, row: UsageComponentDaily) -> SafeString | str:
        return cut(f"{row.component_kind}: {row.component_name}")


@admin.register(UsageDaily)
class DailyAdmin(RollupAdmin):
    ordering = ["-day"]
    list_filter = [WholeDaysFilter]
    list_display = [
        "day", "by_people", "in_sessions", "prompted", "answered", "curated", "flea", "builtin", "failed",
        "read", "written", "cache_read", "cache_written",
    ]  # fmt: skip

    @admin.display(description="people")
    def by_people(self, row: UsageDaily) -> SafeString:
        return number(row.people)

    @admin.display(description="sessions")
    def in_sessions(self, row: UsageDaily) -> SafeString:
        return number(row.sessions)

    @admin.display(description="prompts")
    def prompted(self, row: UsageDaily) -> SafeString:
        return number(row.prompts)

    @admin.display(description="messages")
    def answered(self, row: UsageDaily) -> SafeString:
        return number(row.messages)

    @admin.display(description="curated")
    def curated(self, row: UsageDaily) -> SafeString:
        return number(row.invocations_curated)

    @admin.display(description="flea")
    def flea(self, row: UsageDaily) -> SafeString:
        return number(row.invocations_flea)

    @admin.display(description="builtin")
    def builtin(self, row: UsageDaily) -> SafeString:
        return number(row.invocations_builtin)

    @admin.display(description="errors")
    def failed(self, row: UsageDaily) -> SafeString:
        return number(row.errors)


@admin.register(UsageUserDaily)
class UserDailyAdmin(RollupAdmin):
    list_display = ["day", "person", "tool", "item", "used", "failed", "read", "written"]
    list_filter = [WholeDaysFilter, PersonFilter]
    list_select_related = ["user"]
    search_fields = ["user_id"]
    search_help_text = "A whole e-mail address."

    @admin.display(description="person")
    def person(self, row: Any) -> SafeString:
        return list_link("usageuserdaily", cut(row.user.email, EMAIL), person=row.user_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if email := search_term.strip().lower():
            person = User.objects.filter(email=email).values_list("pk", flat=True).first()
            queryset = queryset.filter(user_id=person) if person else queryset.none()
        return queryset, False


@admin.register(UsagePluginWindow)
class PluginWindowAdmin(RollupAdmin):
    next_step = MARKETPLACE
    list_display = ["period", "item", "used", "by_people", "before", "refreshed"]
    list_filter = ["period"]
    ordering = ["period", "-invocations"]

    @admin.display(description="the time before")
    def before(self, row: UsagePluginWindow) -> SafeString:
        return number(row.previous_invocations)

    @admin.display(description="refreshed")
    def refreshed(self, row: UsagePluginWindow) -> SafeString | str:
        return moment(row.refreshed_at)
