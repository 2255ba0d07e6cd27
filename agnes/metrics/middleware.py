from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from agnes.metrics import counting
from agnes.metrics.access import came_by_metrics_address, is_on
from agnes.metrics.counting import REQUEST_SECONDS

GetResponse = Callable[[HttpRequest], HttpResponse]
# These ask how it goes, and would be most of what they count.
ASKING = ("/livez", "/readyz", "/metrics")
NO_ROUTE, STATIC = "(none)", "(static)"


class MetricsMiddleware:
    """Times every request but those that ask how it goes, and has actions counted from the start on."""

    def __init__(self, get_response: GetResponse) -> None:
        if not is_on():
            raise MiddlewareNotUsed
        counting.connect()
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in ASKING:
            return self.get_response(request)
        if came_by_metrics_address(request):
            # Only metrics and probes are there: who may reach it may not be meant to reach anything else.
            return HttpResponseNotFound()
        began = perf_counter()
        response = self.get_response(request)
        labels = (_route(request), _method(request), str(response.status_code))
        REQUEST_SECONDS.labels(*labels).observe(perf_counter() - began)
        return response


def _route(request: HttpRequest) -> str:
    """The pattern, not the path: there are only so many."""
    if request.resolver_match:
        return f"/{request.resolver_match.route}"
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else NO_ROUTE


def _method(request: HttpRequest) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return request.method if request.method in known else "other"
