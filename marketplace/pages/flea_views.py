"""The doors to items of the flea market."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import AgnesError
from accounts.models import User
from accounts.people import person
from marketplace.errors import EntityUnknown, ItemUnknown, NotYours, VersionUnknown
from marketplace.models import StoreEntity
from marketplace.pages.actions import ACTIONS, Action
from marketplace.pages.flea_page import Viewer, flea_context, version_context
from marketplace.store.seeing import find_entity, find_own, find_version, moderates


@require_safe
@login_required
def item(request: HttpRequest, entity_id: int) -> HttpResponse:
    user = person(request)
    try:
        entity = find_entity(user, entity_id, moderating=moderates(user))
        context = flea_context(entity, viewer_of(user, entity))
    except (EntityUnknown, ItemUnknown) as error:
        raise Http404(error.message) from error
    page = "item" if context["is_published"] else "flea_unpublished"
    return render(request, f"marketplace/{page}.html", context)


@require_safe
@login_required
def version(request: HttpRequest, entity_id: int, number: int) -> HttpResponse:
    user = person(request)
    try:
        found = find_version(user, entity_id, number, moderating=moderates(user))
    except VersionUnknown as error:
        raise Http404(error.message) from error
    context = version_context(found, viewer_of(user, found.entity))
    return render(request, "marketplace/flea_version.html", context)


@require_POST
@login_required
def act(request: HttpRequest, entity_id: int, name: str) -> HttpResponse:
    user, action = person(request), ACTIONS[name]
    entity = own_entity(user, entity_id)
    if action.moderating and not moderates(user):
        raise PermissionDenied
    level, said = _done(action, entity, request.POST, user)
    messages.add_message(request, level, said)
    visible = StoreEntity.objects.visible_to(user, moderating=moderates(user))
    if visible.filter(pk=entity_id).exists():
        return redirect("marketplace:flea_item", entity_id)
    return redirect("marketplace:uploads")


def own_entity(user: User, entity_id: int) -> StoreEntity:
    """One that this person may change; else the page of what is not there, or may not be done."""
    try:
        return find_own(user, entity_id, moderating=moderates(user))
    except EntityUnknown as error:
        raise Http404(error.message) from error
    except NotYours as error:
        raise PermissionDenied from error


def viewer_of(user: User, entity: StoreEntity) -> Viewer:
    return Viewer(user, moderates(user), entity.owner_id == user.pk)


def _done(action: Action, entity: StoreEntity, values: Any, by: User) -> tuple[int, str]:
    form = action.form(values)
    if not form.is_valid():
        wrong = [text for texts in form.errors.values() for text in texts]
        return messages.ERROR, "Nothing was changed. " + " ".join(map(str, wrong))
    try:
        return messages.SUCCESS, action.run(entity, form.cleaned_data, by)
    except AgnesError as error:
        return messages.ERROR, error.text
