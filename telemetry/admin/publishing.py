"""What pages that wait for the publisher say when it fails."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from accounts.admin_base import ReadOnlyAdmin
from telemetry.models import PublishingState


class TellsOfPublishing(ReadOnlyAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        for error in PublishingState.objects.exclude(error="").values_list("error", flat=True):
            messages.error(request, f"Publishing fails, so figures are not up to date. {error}")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response
