"""The JSON API under /api/: assembled from the apps' routers, with one shape for every error.

{"error": {"code": "not_found", "message": "…", "hint": "…", "fields": {"limit": "…"}}}
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from accounts.api import router as accounts_router
from accounts.own_api import router as own_router
from agnes import api_errors, openapi
from agnes.api_docs import ServerRenderedDocs
from marketplace.api import router as marketplace_router
from marketplace.stack_api import router as stack_router
from marketplace.store_api import router as store_router
from telemetry.api.router import router as telemetry_router


class AgnesAPI(NinjaAPI):
    def __init__(self, **options: Any) -> None:
        super().__init__(docs=ServerRenderedDocs(), **options)
        api_errors.register(self)

    def _get_urls(self) -> list[Any]:
        urls = super()._get_urls()
        for pattern in urls:
            _give_our_shape(pattern)
        return urls

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> openapi.Schema:
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        return openapi.Schema(self, prefix)


def _give_our_shape(pattern: Any) -> None:
    """Ninja answers a wrong method in plain text, and takes any method for its own pages.

    No path needs Django's CSRF check, whose answer is a page: operations with a session do it themselves.
    """
    view = pattern.callback
    if pattern.name == "api-root":  # is there to be reversed only
        view = unknown_path
    elif pattern.name in ("openapi-json", "openapi-view"):
        view = require_safe(view)
    pattern.callback = csrf_exempt(api_errors.method_errors_in_json(view))


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    return api_errors.not_found(request)


api = AgnesAPI(
    title="Agnes",
    version="1",
    urls_namespace="api",
    description="Send an access token: `Authorization: Bearer agnes_…`.",
)
api.add_router("", own_router)
api.add_router("", accounts_router)
api.add_router("", telemetry_router)
api.add_router("", marketplace_router)
api.add_router("", stack_router)
api.add_router("/store", store_router)
