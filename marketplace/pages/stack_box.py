"""Items and one's stack: whether they are there, and how many have one."""

from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.models import User
from marketplace.items.figures import Key
from marketplace.models import Plugin, ServedName, StackItem
from marketplace.serving.installing import install_lines
from marketplace.serving.view import why_not_served


@dataclass(frozen=True)
class StackBox:
    """`install` is the line for Claude Code, '' where it is not in the stack. `why_not`: it is not served."""

    people: int
    is_mine: bool
    install: str
    why_not: str | None


def stack_box(user: User, plugin: Plugin) -> StackBox:
    counts = StackItem.objects.filter(plugin=plugin).aggregate(
        people=Count("pk"), mine=Count("pk", filter=Q(user=user))
    )
    why_not, is_mine = why_not_served(plugin), bool(counts["mine"])
    install = _install_line(user, plugin) if is_mine and why_not is None else ""
    return StackBox(counts["people"], is_mine, install, why_not)


def keys_in_stack(user: User) -> set[Key]:
    items = StackItem.objects.filter(user=user).order_by()
    return set(items.values_list("plugin__source", "plugin__ref_id"))


def _install_line(user: User, plugin: Plugin) -> str:
    name = ServedName.objects.filter(plugin=plugin).values_list("name", flat=True).first()
    return install_lines(user, name)[1] if name else ""
