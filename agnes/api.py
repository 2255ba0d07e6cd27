"""The JSON API under /api/: assembled from the apps' routers, with one shape for every error.

{"error": {"code": "not_found", "message": "…", "hint": "…", "fields": {"limit": "…"}}}
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from agnes import api_errors
from agnes.api_docs import ServerRenderedDocs
from telemetry.api import router as telemetry_router


class AgnesAPI(NinjaAPI):
    def __init__(self, **options: Any) -> None:
        super().__init__(docs=ServerRenderedDocs(), **options)
        api_errors.register(self)

    def _get_urls(self) -> list[Any]:
        urls = super()._get_urls()
        for pattern in urls:
            pattern.callback = _in_our_shape(pattern.name, pattern.callback)
        return urls


def _in_our_shape(name: str, view: Any) -> Any:
    """Ninja answers a wrong method in plain text, and takes any method for its own pages.

    No path needs Django's CSRF check, whose answer is a page: operations with a session do it themselves.
    """
    if name == "api-root":  # is there to be reversed only
        return unknown_path
    if name in ("openapi-json", "openapi-view"):
        view = require_safe(view)
    return csrf_exempt(api_errors.method_errors_in_json(view))


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    return api_errors.not_found(request)


api = AgnesAPI(
    title="Agnes",
    version="1",
    urls_namespace="api",
    description="Send an access token: `Authorization: Bearer agnes_…`.",
)
api.add_router("", telemetry_router)
