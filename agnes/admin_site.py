import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse


class AgnesAdminSite(AdminSite):
    site_title = "Agnes"
    site_header = "Agnes"
    index_title = "Overview"
    site_url = None

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_refusing_what_no_row_holds(view), cacheable)

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        from telemetry.admin.front_page import front_page_context

        return super().index(request, {**front_page_context(request), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Everybody signs in here. Who is not staff is led to the pages for everybody: the admin lets nobody
        else in, and would ask them for another account."""
        provider = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        response = super().login(request, {"provider": provider, **(extra_context or {})})
        if isinstance(response, HttpResponseRedirect) and not _is_staff(request):
            into_admin = response.url.startswith(reverse("admin:index"))
            return redirect("home") if into_admin else response
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Django's own page, which leads on only once the password is changed."""
        from accounts import audit

        page = super().password_change
        if request.method != "POST":
            return page(request, extra_context)
        with transaction.atomic():
            response = page(request, extra_context)
            if isinstance(response, HttpResponseRedirect):
                audit.record("auth.password_change", target=f"user:{request.user.pk}")
        return response


class AgnesAdminConfig(AdminConfig):
    default_site = "agnes.admin_site.AgnesAdminSite"


def _is_staff(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_staff", False))


def _refusing_what_no_row_holds(view: Callable[..., Any]) -> Callable[..., Any]:
    """Filters and keys go from the address into queries, where PostgreSQL fails on a NUL, and SQLite on a
    number of more than 64 bits."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("There is a NUL in the address.")
        try:
            return view(request, *args, **kwargs)
        except OverflowError as error:
            if request.method not in ("GET", "HEAD"):
                raise
            raise BadRequest("There is a number in the address that no row can have.") from error

    return wrapped
