from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from agnes.health.views import livez, readyz
from agnes.metrics.views import metrics

PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics,
}


class ProbesFirstMiddleware:
    """Answers the probes before anything looks at the host's name or at a session.

    Who probes asks an address, not a name; and a session would be read from a database that may not answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self.get_response)(request)
