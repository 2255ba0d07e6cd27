"""The JSON API under /api/: assembled from the apps' routers, with one shape for every error.

{"error": {"code": "not_found", "message": "…", "hint": "…", "fields": {"limit": "…"}}}
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from agnes import api_errors
from agnes.api_docs import ServerRenderedDocs
from telemetry.api import router as telemetry_router


class AgnesAPI(NinjaAPI):
    def __init__(self, **options: Any) -> None:
        super().__init__(docs=ServerRenderedDocs(), **options)
        api_errors.register(self)

    def _get_urls(self) -> list[Any]:
        """Ninja answers a wrong method in plain text before any error handler: give it our shape."""
        urls = super()._get_urls()
        for pattern in urls:
            pattern.callback = api_errors.method_errors_in_json(pattern.callback)
        return urls


api = AgnesAPI(
    title="Agnes",
    version="1",
    urls_namespace="api",
    description="Send an access token: `Authorization: Bearer agnes_…`.",
)
api.add_router("", telemetry_router)


def unknown_path(request: HttpRequest) -> HttpResponse:
    return api_errors.not_found(request)
