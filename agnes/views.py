"""Error pages: the API's one shape under /api/, a page everywhere else."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.views import defaults

from accounts.disk_trouble import disk_trouble
from accounts.middleware import REQUEST_ID
from agnes import api_errors


def bad_request(request: HttpRequest, exception: Exception, **kwargs: Any) -> HttpResponse:
    if _is_api(request):
        return api_errors.bad_request(request)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception, **kwargs: Any) -> HttpResponse:
    if _is_api(request):
        return api_errors.not_allowed(request)
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception, **kwargs: Any) -> HttpResponse:
    if _is_api(request):
        return api_errors.not_found(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    error = sys.exception()
    trouble = disk_trouble(error) if error else None
    if _is_api(request):
        return api_errors.error_response(trouble) if trouble else api_errors.unexpected(request, error)
    if trouble:
        # Without a request, since its context would ask the database.
        page = render_to_string("disk_trouble.html", {"error": trouble})
        return HttpResponse(page, status=trouble.status)
    found = {"request_id": request.META.get(REQUEST_ID, "")}
    return HttpResponseServerError(render_to_string("500.html", found))


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
