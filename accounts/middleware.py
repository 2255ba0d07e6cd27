import re
import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import audit
from accounts.models import ClientKind, User

GetResponse = Callable[[HttpRequest], HttpResponse]
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class AuditContextMiddleware:
    """Tells the audit log who asks, through which door, under which request id (echoed in the answer)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.context(
            _client_kind(request), actor=lambda: _person(request), request_id=_request_id(request)
        ) as context:
            response = self.get_response(request)
        response["X-Request-ID"] = context.request_id
        return response


class TimeZoneMiddleware:
    """Times on pages are in the person's own time zone.

    Bearer tokens are authenticated after this, so the API always speaks UTC.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request)):
            return self.get_response(request)


def _client_kind(request: HttpRequest) -> ClientKind:
    if request.headers.get("User-Agent", "").startswith("agnes-cli"):
        return ClientKind.CLI
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return ClientKind.API
    return ClientKind.WEB


def _request_id(request: HttpRequest) -> str:
    """What a proxy in front gave, if it is harmless in logs and headers."""
    given = request.headers.get("X-Request-ID", "")
    return given if SANE_REQUEST_ID.fullmatch(given) else audit.new_request_id()


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _zone(request: HttpRequest) -> zoneinfo.ZoneInfo:
    person = None if request.path.startswith("/api/") else _person(request)
    try:
        return zoneinfo.ZoneInfo(person.time_zone if person else "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
