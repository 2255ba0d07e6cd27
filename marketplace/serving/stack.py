"""What a person has chosen: the plugins of their stack."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from marketplace.errors import ItemUnknown
from marketplace.models import Plugin, StackItem
from marketplace.plugins.text import storable
from marketplace.serving.errors import NamespaceTaken, NotForStacks
from marketplace.serving.names import assign_names
from marketplace.serving.repositories import left_out_of, repository_of_view
from marketplace.serving.view import View, namespace_key, successor, view_of, why_not_served


@dataclass(frozen=True)
class StackEntry:
    """`name` is what Claude Code installs, None where it is not served: then `why_not` says so."""

    plugin: Plugin
    added_at: datetime
    name: str | None
    why_not: str | None


def add_to_stack(user: User, source: str, ref_id: str) -> bool:
    """Whether it is new there. Raises ItemUnknown, NotForStacks, NamespaceTaken."""
    plugin = _visible(user, source, ref_id)
    if reason := why_not_served(plugin):
        raise NotForStacks(plugin.label, reason)
    assign_names()
    with transaction.atomic():
        # One at a time for a person, so that no two of one namespace slip in together.
        User.objects.select_for_update().get(pk=user.pk)
        _require_still_there(plugin)
        _require_own_namespace(user, plugin)
        _, is_new = StackItem.objects.get_or_create(user=user, plugin=plugin)
        if is_new:
            audit.record("store.stack_add", target=_target(plugin), actor=user)
    return is_new


def remove_from_stack(user: User, source: str, ref_id: str) -> bool:
    """Whether it was there; what has left the catalogue can be removed, too."""
    items = StackItem.objects.filter(
        user=user, plugin__source=storable(source), plugin__ref_id=storable(ref_id)
    )
    with transaction.atomic():
        item = items.select_related("plugin").first()
        if item is None:
            return False
        item.delete()
        audit.record("store.stack_remove", target=_target(item.plugin), actor=user)
    return True


def list_stack(user: User) -> list[StackEntry]:
    """The newest first. What cannot be served is found out by building what Claude Code gets."""
    view = view_of(user)
    left_out = {**view.left_out, **_left_out_when_built(view)}
    names = {one.plugin.pk: one.name for one in view.plugins}
    entries = []
    for item in StackItem.objects.filter(user=user).select_related(
        "plugin__marketplace", "plugin__renamed_to"
    ):
        served = successor(item.plugin).pk
        why_not = left_out.get(served)
        name = None if why_not else names.get(served)
        entries.append(StackEntry(item.plugin, item.added_at, name, why_not))
    return entries


def _left_out_when_built(view: View) -> dict[int, str]:
    try:
        with repository_of_view(view) as repository:
            return left_out_of(repository)
    except AgnesError as error:
        return {one.plugin.pk: error.text for one in view.plugins if not one.is_remote}


def _visible(user: User, source: str, ref_id: str) -> Plugin:
    plugins = Plugin.objects.visible_to(user).filter(source=storable(source), ref_id=storable(ref_id))
    plugin = plugins.select_related("marketplace", "entity__served").first()
    if plugin is None:
        raise ItemUnknown(source, ref_id)
    return plugin


def _require_still_there(plugin: Plugin) -> None:
    """Who deletes an item that nobody has does the same: either comes first. Raises ItemUnknown."""
    if Plugin.objects.select_for_update().filter(pk=plugin.pk).first() is None:
        raise ItemUnknown(plugin.source, plugin.ref_id)


def _require_own_namespace(user: User, plugin: Plugin) -> None:
    held = StackItem.objects.filter(user=user).exclude(plugin=plugin)
    for item in held.select_related("plugin__marketplace", "plugin__renamed_to", "plugin__entity__served"):
        other = successor(item.plugin)
        if (
            why_not_served(other) is None
            and namespace_key(other) == namespace_key(plugin)
            and other != plugin
        ):
            raise NamespaceTaken(plugin.label, other.label, plugin.namespace)


def _target(plugin: Plugin) -> str:
    return f"plugin:{plugin.ref_id}"
