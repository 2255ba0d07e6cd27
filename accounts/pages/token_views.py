"""Everybody's own access tokens: made, shown once, revoked."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import shown_once, tokens
from accounts.errors import TooManyTokens
from accounts.models import AccessToken, User
from accounts.pages.forms import TokenForm, asked_for
from accounts.people import person

# Of those that ended, the newest.
ENDED = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def own_tokens(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if request.method != "POST":
        return _page(request, user, TokenForm(user, initial=asked_for(request.GET)))
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return _page(request, user, form, status=422)
    try:
        return _issue(request, user, form)
    except TooManyTokens as error:
        form.add_error(None, error.text)
        return _page(request, user, form, status=error.status)


@require_safe
@login_required
@never_cache
def issued(request: HttpRequest, token_id: int) -> HttpResponse:
    """The secret, once."""
    token = _own(request, token_id)
    plain = shown_once.take(request, token)
    if plain is None:
        messages.warning(request, shown_once.gone(token))
        return redirect("accounts:tokens")
    response = render(request, "accounts/token_issued.html", {"token": token, "plain": plain})
    shown_once.forget(response, request.path)
    return response


@require_POST
@login_required
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = _own(request, token_id)
    tokens.revoke(token, by=person(request))
    messages.success(request, f"“{token.name}” is revoked.")
    return redirect("accounts:tokens")


def _issue(request: HttpRequest, user: User, form: TokenForm) -> HttpResponse:
    """Another page shows the secret, so that reloading it makes no second token."""
    said = form.cleaned_data
    expires_at = timezone.now() + timedelta(days=said["days"]) if said["days"] else None
    token, plain = tokens.issue_own(user, name=said["name"], scopes=said["scopes"], expires_at=expires_at)
    page = reverse("accounts:token_issued", args=(token.pk,))
    response = redirect(page)
    shown_once.send(response, request, token, plain, page)
    return response


def _own(request: HttpRequest, token_id: int) -> AccessToken:
    return get_object_or_404(AccessToken, pk=token_id, user=person(request))


def _page(request: HttpRequest, user: User, form: TokenForm, status: int = 200) -> HttpResponse:
    own = AccessToken.objects.filter(user=user)
    usable = own.usable()
    ended = own.exclude(pk__in=usable)[:ENDED]
    context = {"form": form, "usable": usable, "ended": ended}
    return render(request, "accounts/tokens.html", context, status=status)
