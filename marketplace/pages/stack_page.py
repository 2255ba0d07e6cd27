"""What the page of one's stack shows."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import Scope, User
from marketplace.models import Plugin
from marketplace.pages.cards import item_url
from marketplace.serving.installing import install_lines
from marketplace.serving.stack import StackEntry, list_stack


@dataclass(frozen=True)
class Row:
    """`url` is '' for what this person cannot look at any more."""

    entry: StackEntry
    title: str
    url: str
    install: str


def stack_context(user: User) -> dict[str, Any]:
    entries = list_stack(user)
    found = Plugin.objects.visible_to(user).filter(pk__in=[it.plugin.pk for it in entries])
    visible = set(found.values_list("pk", flat=True))
    return {
        "rows": [_row(user, entry, visible) for entry in entries],
        "lines": install_lines(user),
        "token_url": _token_url(),
    }


def _row(user: User, entry: StackEntry, visible: set[int]) -> Row:
    plugin = entry.plugin
    url = item_url(plugin.source, plugin.ref_id) if plugin.pk in visible else ""
    install = install_lines(user, entry.name)[1] if entry.name else ""
    return Row(entry, plugin.display_name or plugin.name, url, install)


def _token_url() -> str:
    """The form for a token that git may use."""
    values = {"name": "Claude Code", "scopes": Scope.MARKETPLACE.value, "days": "365"}
    return f"{reverse('accounts:tokens')}?{urlencode(values)}"
