"""What the page of one item shows, ready for its template."""

from datetime import date
from typing import Any

from django.db.models import Max

from accounts.models import User
from marketplace.items.details import DayFigures, ItemDetails
from marketplace.models import Plugin
from marketplace.pages.cards import item_url
from marketplace.pages.contents import parts_of
from marketplace.pages.installing import install_commands, is_local
from marketplace.pages.kinds import NOT_COUNTED, is_counted, one
from marketplace.pages.readme import render_readme
from marketplace.pages.runs import runs_of
from marketplace.pages.stack_box import stack_box
from telemetry.charts import DayChart, Series
from telemetry.models import UsagePluginDaily

# As many as a notice names.
TWINS = 10
REMOTE_LINKS = ("http://", "https://")


def item_context(user: User, found: ItemDetails) -> dict[str, Any]:
    plugin = found.plugin
    return {
        "item": found,
        "plugin": plugin,
        "title": plugin.display_name or plugin.name,
        "owner": _owner(plugin),
        "links": _links(plugin),
        "hosted_at": _hosted_at(plugin),
        "successor_url": item_url(found.source, plugin.renamed_to.ref_id) if plugin.renamed_to else None,
        "namespace_twins": [
            (twin.label, item_url(twin.source, twin.ref_id)) for twin in _namespace_twins(user, plugin)
        ],
        "install": [] if plugin.valid_to else install_commands(plugin),
        "is_local": is_local(plugin),
        "stack": stack_box(user, plugin),
        "parts": parts_of(found),
        "contents_known": _contents_known(plugin),
        "not_counted": None if is_counted(_kinds(found)) else NOT_COUNTED,
        "others": [(one(it.kind), it.name, it.usage) for it in found.other_usage],
        "runs": runs_of([it.component for it in found.components], plugin.executables),
        "readme": render_readme(plugin.readme),
        "chart": _chart(found.daily),
        "last_used": _last_used(found),
        "as_of": found.window.as_of,
    }


def _contents_known(plugin: Plugin) -> bool:
    """Only then may a page say that there is nothing in it."""
    return plugin.components_known and plugin.does_not_load is None and plugin.valid_to is None


def _kinds(found: ItemDetails) -> list[str]:
    return [used.component.kind for used in found.components]


def _last_used(found: ItemDetails) -> date | None:
    days = UsagePluginDaily.objects.filter(source=found.source, ref_id=found.plugin.ref_id)
    last: date | None = days.aggregate(last=Max("day"))["last"]
    return last


def _owner(plugin: Plugin) -> str:
    """Who wrote it, else who keeps its marketplace; on the flea market who answers for it."""
    if plugin.marketplace is None:
        return plugin.entity.owner.name or plugin.entity.owner.email
    return str(plugin.author.get("name") or plugin.marketplace.owner.get("name") or "")


def _links(plugin: Plugin) -> list[tuple[str, str]]:
    named = (("Homepage", plugin.homepage), ("Repository", plugin.repository))
    return [(label, url) for label, url in named if url.startswith(REMOTE_LINKS)]


def _hosted_at(plugin: Plugin) -> str:
    """Of a plugin that is hosted elsewhere: where."""
    place = plugin.source_url or plugin.source_command
    return f"{place} {plugin.source_path}".strip()


def _namespace_twins(user: User, plugin: Plugin) -> list[Plugin]:
    """Other items whose identifiers begin alike, so that a call without evidence may be theirs."""
    twins = Plugin.objects.visible_to(user).current().filter(namespace=plugin.namespace).exclude(pk=plugin.pk)
    return list(twins.order_by("ref_id")[:TWINS])


def _chart(daily: list[DayFigures]) -> DayChart | None:
    """None where there is nothing to draw."""
    invocations = Series([it.invocations for it in daily], "invocation")
    more = [
        Series([it.errors for it in daily], "error"),
        Series([it.people for it in daily], "person", "people"),
    ]
    chart = DayChart([it.day for it in daily], [invocations], more)
    return None if chart.is_empty else chart
