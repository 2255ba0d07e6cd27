from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.admin_base import NextStep
from telemetry.admin.base import ExtractedAdmin
from telemetry.admin.formats import cut, list_link, list_url, number, transcript_link, words
from telemetry.models import VerificationFinding

# So many different findings are told at most: a hostile transcript can name many unknown keys.
OVERVIEW_ROWS = 50


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = "kind", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, words(kind)) for kind in VerificationFinding.Kind.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(VerificationFinding)
class VerificationFindingAdmin(ExtractedAdmin):
    """Above the rows: what was found, in how many transcripts."""

    change_list_template = "admin/telemetry/verificationfinding/change_list.html"
    person_field = None
    next_step = NextStep("Every transcript so far is in the format that Agnes knows.")
    search_help_text = "A whole session id, or the beginning of a session file (u7_…)."
    list_display = ["what", "detail_link", "occurrences", "transcript"]
    list_filter = [KindFilter]
    ordering = ["kind", "detail", "-count", "id"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        chosen = any(request.GET.values())
        overview = [] if chosen or not self.has_view_permission(request) else _overview()
        return super().changelist_view(request, {**(extra_context or {}), "overview": overview})

    @admin.display(description="kind")
    def what(self, finding: VerificationFinding) -> str:
        return words(finding.kind)

    @admin.display(description="detail")
    def detail_link(self, finding: VerificationFinding) -> SafeString | str:
        if not finding.detail:
            return ""
        return list_link("verificationfinding", cut(finding.detail), kind=finding.kind, detail=finding.detail)

    @admin.display(description="count")
    def occurrences(self, finding: VerificationFinding) -> SafeString:
        return number(finding.count)

    @admin.display(description="transcript")
    def transcript(self, finding: VerificationFinding) -> SafeString:
        return transcript_link(finding.session_file)


def _overview() -> list[dict[str, Any]]:
    found = VerificationFinding.objects.order_by().values("kind", "detail")
    counted = found.annotate(transcripts=Count("id"), occurrences=Sum("count"))
    return [
        {
            **row,
            "name": words(row["kind"]),
            "detail": cut(row["detail"]),
            "url": list_url("verificationfinding", kind=row["kind"], detail=row["detail"]),
        }
        for row in counted.order_by("-transcripts", "kind", "detail")[:OVERVIEW_ROWS]
    ]
