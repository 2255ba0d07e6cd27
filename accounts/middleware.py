import re
import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import audit, log_context
from accounts.clients import is_our_client
from accounts.models import ClientKind, User

GetResponse = Callable[[HttpRequest], HttpResponse]
# In request.META, where no header can put it.
REQUEST_ID = "agnes.request_id"
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class AuditContextMiddleware:
    """Tells the log and the audit log who asks, through which door, under which request id (echoed in the
    answer). It comes first, so that whatever refuses the request has the id as well."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _request_id(request)
        # For what is logged about the request once it is answered.
        request.META[REQUEST_ID] = request_id
        with audit.context(_client_kind(request), actor=lambda: _person(request), request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
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
    if is_our_client(request):
        return ClientKind.CLI
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return ClientKind.API
    return ClientKind.WEB


def _request_id(request: HttpRequest) -> str:
    """What a proxy in front gave, if it is harmless in logs and headers."""
    given = request.headers.get("X-Request-ID", "")
    return given if SANE_REQUEST_ID.fullmatch(given) else log_context.new_request_id()


def _person(request: HttpRequest) -> User | None:
    """None as well before anybody has looked who it is."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def _zone(request: HttpRequest) -> zoneinfo.ZoneInfo:
    person = None if request.path.startswith("/api/") else _person(request)
    try:
        return zoneinfo.ZoneInfo(person.time_zone if person else "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
