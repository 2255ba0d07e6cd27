from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import IndexedValuesFilter, NextStep, ReadOnlyAdmin, chip, moment
from accounts.models import AuditLog, User


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    list_display = ["when", "action", "target", "who", "outcome", "client_kind"]
    list_filter = [("action", IndexedValuesFilter), "client_kind", "at"]
    search_fields = ["target__exact", "request_id__exact"]
    search_help_text = "The whole target (user:7) or request id."
    ordering = ["-at"]
    next_step = NextStep("Sign-ins, uploads and every privileged action are written here.")
    fields = ["at", "action", "target", "who", "params", "outcome", "client_kind", "request_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        email = User.objects.filter(pk=OuterRef("actor")).values("email")
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.annotate(actor_email=Subquery(email))
        return rows

    @admin.display(description="at", ordering="at")
    def when(self, row: AuditLog) -> SafeString | str:
        return moment(row.at)

    @admin.display(description="actor", ordering="actor")
    def who(self, row: Any) -> SafeString | str:
        if row.actor is None:
            return "the server"
        url = reverse("admin:accounts_user_change", args=[row.actor])
        return format_html('<a href="{}">{}</a>', url, row.actor_email or f"user:{row.actor}")

    @admin.display(description="result", ordering="result")
    def outcome(self, row: AuditLog) -> SafeString:
        return chip(row.result, "" if row.result == "ok" else "bad")
