"""The doors: each asks for what it shows, and renders."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from marketplace.errors import ItemUnknown
from marketplace.items.details import find_item
from marketplace.pages.addresses import read_address
from marketplace.pages.item_page import item_context
from marketplace.pages.list_page import list_context


@require_safe
@login_required
def item_list(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    context = list_context(request.user, read_address(request.GET))
    return render(request, "marketplace/list.html", context)


@require_safe
@login_required
def item(request: HttpRequest, source: str, ref_id: str) -> HttpResponse:
    assert isinstance(request.user, User)
    if "\0" in ref_id:
        raise Http404("There is a NUL in the address.")
    try:
        found = find_item(request.user, source, ref_id)
    except ItemUnknown as error:
        raise Http404(error.message) from error
    return render(request, "marketplace/item.html", item_context(request.user, found))
