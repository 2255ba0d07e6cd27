"""Who may see the metrics: nobody, unless AGNES_METRICS_TOKEN or AGNES_METRICS_BIND is set."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from agnes import env


def is_on() -> bool:
    return bool(settings.METRICS_TOKEN or settings.METRICS_BIND)


def came_by_metrics_address(request: HttpRequest) -> bool:
    """Which address the connection came to is the server's own word: no header can change it."""
    if not settings.METRICS_BIND:
        return False
    _, port = env.split_address(settings.METRICS_BIND)
    return request.META.get("SERVER_PORT") == str(port)


def may_see(request: HttpRequest) -> bool:
    return came_by_metrics_address(request) or _has_token(request)


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or kind.lower() != "bearer":
        return False
    return constant_time_compare(token.strip(), settings.METRICS_TOKEN)
