"""The one error shape of the API, for every way in which a request can fail."""

import functools
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.log import log_response
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts import audit
from accounts.disk_trouble import disk_trouble
from accounts.errors import AgnesError, NotAllowed, NotFound

log = logging.getLogger(__name__)

BUSY_RETRY_SECONDS = 5


def error_response(error: AgnesError) -> JsonResponse:
    body: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
    if error.fields:
        body["fields"] = error.fields
    body |= error.more
    response = JsonResponse({"error": body}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def register(api: NinjaAPI) -> None:
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        AgnesError: lambda request, error: error_response(error),
        ValidationError: lambda request, error: error_response(_invalid(error)),
        HttpError: lambda request, error: error_response(_from_http_error(error)),
        Http404: lambda request, error: not_found(request),
        PermissionDenied: lambda request, error: not_allowed(request),
        SuspiciousOperation: lambda request, error: error_response(_suspicious(error)),
        DatabaseError: server_trouble,
        OSError: server_trouble,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def not_found(request: HttpRequest) -> JsonResponse:
    return error_response(NotFound("There is nothing here.", "The operations are listed at /api/docs."))


def not_allowed(request: HttpRequest) -> JsonResponse:
    return error_response(NotAllowed("You may not do this.", "Ask an admin for the permission."))


def bad_request(request: HttpRequest) -> JsonResponse:
    return error_response(_with(400, "The request is malformed.", "Check its headers and body."))


def unexpected(request: HttpRequest, error: BaseException | None = None) -> JsonResponse:
    request_id = audit.current().request_id
    response = error_response(
        _with(
            500,
            "The server failed.",
            f"Tell an operator the request id {request_id}; the server's log has it.",
        )
    )
    # Unlike `log.error`, this keeps Django from logging the same failure again.
    log_response(
        "Request %s failed: %s %s",
        *(request_id, request.method, request.path),
        response=response,
        request=request,
        logger=log,
        exception=error,
    )
    return response


def server_trouble(request: HttpRequest, error: DatabaseError | OSError) -> JsonResponse:
    """What passes or is cured, and what is not known: then the server failed."""
    request_id = audit.current().request_id
    if trouble := disk_trouble(error):
        log.error("Request %s was refused: %s %s", request_id, trouble.message, error)
        return error_response(trouble)
    # Where another writer held SQLite's lock for longer than one waits for it, nothing is wrong.
    if not (isinstance(error, DatabaseError) and "locked" in str(error)):
        return unexpected(request, error)
    log.warning("Request %s waited too long for the database.", request_id)
    busy = _with(503, "The database is busy with something large.", "Send the request again in a moment.")
    busy.retry_after = BUSY_RETRY_SECONDS
    return error_response(busy)


def method_errors_in_json(view: Any) -> Callable[..., HttpResponse]:
    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = response["Allow"]
        answer = error_response(_with(405, f"{request.method} is not possible here.", f"Use {allowed}."))
        answer["Allow"] = allowed
        return answer

    return wrapped


def _invalid(error: ValidationError) -> AgnesError:
    fields = {_field_name(item["loc"]): str(item["msg"]) for item in error.errors}
    wrong = ", ".join(fields)
    return _with(422, f"Wrong input: {wrong}.", "See `fields`, and /api/docs for what is accepted.", fields)


def _field_name(loc: tuple[str | int, ...]) -> str:
    """`("query", "limit")` -> `limit`; of a body the name of the parameter that holds it is dropped."""
    source, *names = loc
    if source == "body" and len(names) > 1:
        names = names[1:]
    return ".".join(map(str, names)) or str(source)


def _from_http_error(error: HttpError) -> AgnesError:
    return _with(error.status_code, error.message, "The operations are described at /api/docs.")


def _suspicious(error: SuspiciousOperation) -> AgnesError:
    if isinstance(error, RequestDataTooBig):
        return _with(413, "The request is too large.", "Send less at once.")
    return _with(400, "The request is malformed.", "Check its headers and body.")


def _with(status: int, message: str, hint: str, fields: dict[str, str] | None = None) -> AgnesError:
    error = AgnesError(message, hint, fields)
    error.status = status
    error.code = CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_")
    return error


CODES = {
    401: "not_authenticated",
    403: "not_allowed",
    413: "too_large",
    422: "invalid",
    500: "internal",
    503: "busy",
}
