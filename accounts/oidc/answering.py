"""What a browser that comes back from the provider gets."""

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.errors import AgnesError, SignInFailed, SignInRefused
from accounts.leading_on import leads_here
from accounts.models import User
from accounts.oidc.backend import ProviderBackend
from accounts.oidc.people import person_of
from accounts.oidc.provider import CameBack
from accounts.signals import record_refusal


def sign_in(request: HttpRequest, came_back: CameBack) -> HttpResponse:
    """Raises SignInRefused."""
    if came_back.claims.get("nonce") != came_back.state.get("nonce"):
        raise SignInRefused("This answer belongs to another attempt to sign in.", "Sign in again.")
    person = person_of(came_back.account, came_back.claims)
    login(request, person, backend=ProviderBackend.PATH)
    return redirect(_after(person, came_back.state.get("next")))


def _after(person: User, asked: str | None) -> str:
    admin = reverse("admin:index")
    if person.is_staff:
        return asked or admin
    # The admin would ask them for another account.
    return reverse("home") if not asked or asked.startswith(admin) else asked


def refuse(request: HttpRequest, refused: SignInRefused) -> HttpResponse:
    record_refusal(refused.target)
    return _page(request, refused)


def fail(request: HttpRequest) -> HttpResponse:
    return _page(request, SignInFailed(settings.OIDC_NAME))


def safe_next(request: HttpRequest) -> str | None:
    """Where to go afterwards, if that is a place of this server."""
    asked = request.GET.get("next", "")
    return asked if leads_here(request, asked) else None


def _page(request: HttpRequest, error: AgnesError) -> HttpResponse:
    return render(request, "accounts/sign_in_failed.html", {"error": error}, status=error.status)
