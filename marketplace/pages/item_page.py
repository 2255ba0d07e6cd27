"""What the page of one item shows, ready for its template."""

from datetime import date
from typing import Any

from django.db.models import Max

from accounts.models import User
from marketplace.items.details import DayFigures, ItemDetails
from marketplace.models import Plugin
from marketplace.pages.cards import item_url
from marketplace.pages.charts import Day, axis_end, day_chart
from marketplace.pages.contents import parts_of
from marketplace.pages.installing import install_commands, is_local
from marketplace.pages.kinds import NOT_COUNTED, is_counted, one
from marketplace.pages.readme import render_readme
from marketplace.pages.runs import runs_of
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
            (ref_id, item_url(found.source, ref_id)) for ref_id in _namespace_twins(user, plugin)
        ],
        "install": [] if plugin.valid_to else install_commands(plugin),
        "is_local": is_local(plugin),
        "parts": parts_of(found),
        "contents_known": _contents_known(plugin),
        "not_counted": None if is_counted(_kinds(found)) else NOT_COUNTED,
        "others": [(one(it.kind), it.name, it.usage) for it in found.other_usage],
        "runs": runs_of(found.components, plugin.executables),
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
    """Who wrote it; else who keeps its marketplace."""
    return str(plugin.author.get("name") or plugin.marketplace.owner.get("name") or "")


def _links(plugin: Plugin) -> list[tuple[str, str]]:
    named = (("Homepage", plugin.homepage), ("Repository", plugin.repository))
    return [(label, url) for label, url in named if url.startswith(REMOTE_LINKS)]


def _hosted_at(plugin: Plugin) -> str:
    """Of a plugin that is hosted elsewhere: where."""
    place = plugin.source_url or plugin.source_command
    return f"{place} {plugin.source_path}".strip()


def _namespace_twins(user: User, plugin: Plugin) -> list[str]:
    """Other items whose identifiers begin alike, so that a call without evidence may be theirs."""
    twins = Plugin.objects.visible_to(user).current().filter(namespace=plugin.namespace).exclude(pk=plugin.pk)
    return list(twins.order_by("ref_id").values_list("ref_id", flat=True)[:TWINS])


def _chart(daily: list[DayFigures]) -> dict[str, Any] | None:
    """None where there is nothing to draw."""
    days = [Day(it.day, it.invocations, it.errors, it.people) for it in daily]
    if not any(it.invocations for it in days):
        return None
    end = axis_end(days)
    return {"svg": day_chart(days), "days": days[::-1], "ends": (end, end // 2, 0), "first": days[0].day}
