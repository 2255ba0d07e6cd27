"""The page on which somebody allows the client `agnes` on their machine to act as them."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.connecting import allow, labels, read_connection
from accounts.errors import WrongConnection
from accounts.people import person


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def connect(request: HttpRequest) -> HttpResponse:
    """Nothing is allowed by looking at it: that takes the button, and its CSRF token."""
    user = person(request)
    try:
        connection = read_connection(request.GET, user)
    except WrongConnection as error:
        return render(request, "accounts/connect_wrong.html", {"error": error}, status=error.status)
    if request.method != "POST":
        context = {"connection": connection, "labels": labels(connection.scopes)}
        return render(request, "accounts/connect.html", context)
    if request.POST.get("answer") == "allow":
        return _lead_back(request, connection.address(code=allow(connection, user)), allowed=True)
    return _lead_back(request, connection.address(error="denied"), allowed=False)


def _lead_back(request: HttpRequest, address: str, *, allowed: bool) -> HttpResponse:
    """By a page and no redirect: the policy of our pages lets forms lead to ourselves only."""
    return render(request, "accounts/connect_done.html", {"address": address, "allowed": allowed})
