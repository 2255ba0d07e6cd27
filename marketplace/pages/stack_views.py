"""The doors to one's stack."""

from urllib.parse import urldefrag

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import AgnesError
from accounts.leading_on import leads_here
from accounts.people import person
from marketplace.pages.stack_page import stack_context
from marketplace.serving.stack import add_to_stack, remove_from_stack


@require_safe
@login_required
def stack(request: HttpRequest) -> HttpResponse:
    return render(request, "marketplace/stack.html", stack_context(person(request)))


@require_POST
@login_required
def add(request: HttpRequest) -> HttpResponse:
    """What cannot be added says why at the top of the page that it was asked on."""
    source, ref_id = _named(request)
    try:
        add_to_stack(person(request), source, ref_id)
    except AgnesError as error:
        messages.error(request, error.text)
        return redirect(urldefrag(_there(request)).url)
    messages.success(request, "It is in your stack.")
    return redirect(_there(request))


@require_POST
@login_required
def remove(request: HttpRequest) -> HttpResponse:
    if remove_from_stack(person(request), *_named(request)):
        messages.success(request, "It is no longer in your stack.")
    return redirect(_there(request))


def _named(request: HttpRequest) -> tuple[str, str]:
    """PostgreSQL takes no NUL."""
    source, ref_id = (request.POST.get(name, "").replace("\0", "?") for name in ("source", "ref_id"))
    return source, ref_id


def _there(request: HttpRequest) -> str:
    """The page that the button was on, and the card there."""
    there = request.POST.get("next", "")
    return there if leads_here(request, there) else reverse("marketplace:stack")
