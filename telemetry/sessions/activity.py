"""What a person did in the last days, as of the last publish. Days are UTC."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Subquery
from django.db.models.functions import Coalesce

from telemetry.days import first_id, start_of, today
from telemetry.item_names import flea_namespace, item_name
from telemetry.models import PublishingState, UsageEvent, UsageUserDaily

DAYS = 30
# So many of the most used are shown.
MOST = 8
# In the query of the figures, since the page has few queries to spend.
AS_OF = PublishingState.objects.values("as_of")[:1]


@dataclass(frozen=True)
class Used:
    """`key` is that of a plugin (`flea:7`), by which its sessions are found."""

    name: str
    count: int
    key: str = ""


@dataclass(frozen=True)
class Day:
    day: date
    invocations: int
    errors: int


@dataclass(frozen=True)
class Activity:
    """`days` ends with today; the others are the most used, with how often. `as_of` is None where nothing
    was used."""

    as_of: datetime | None
    days: list[Day]
    tools: list[Used]
    skills: list[Used]
    plugins: list[Used]


def activity_of(user_id: int) -> Activity:
    """Two queries. A skill counts where it was answered and did not fail (docs/COUNTING.md), as of now."""
    first = today() - timedelta(days=DAYS - 1)
    of_person = UsageUserDaily.objects.filter(user_id=user_id, day__range=(first, today()))
    rows = of_person.values_list(
        "day",
        "tool_name",
        "source",
        "ref_id",
        flea_namespace(),
        "invocations",
        "error_count",
        Subquery(AS_OF),
    )
    as_of = None
    invocations: Counter[object] = Counter()
    errors: Counter[object] = Counter()
    tools: Counter[str] = Counter()
    plugins: Counter[str] = Counter()
    names: dict[str, str] = {}
    for day, tool_name, source, ref_id, namespace, count, failed, as_of in rows:  # noqa: B007
        invocations[day] += count
        errors[day] += failed
        if tool_name:
            tools[tool_name] += count
        if ref_id:
            key = f"{source}:{ref_id}"
            plugins[key] += count
            names[key] = item_name(ref_id, namespace)
    all_days = (first + timedelta(days=number) for number in range(DAYS))
    return Activity(
        as_of=as_of,
        days=[Day(day, invocations[day], errors[day]) for day in all_days],
        tools=_most(tools),
        skills=_skills(user_id, start_of(first)),
        plugins=[Used(names[it.name], it.count, it.name) for it in _most(plugins)],
    )


def _skills(user_id: int, since_ms: int) -> list[Used]:
    """A plugin's skill under its own name, whatever it was called by."""
    used = UsageEvent.objects.filter(
        user_id=user_id, id__gte=first_id(since_ms), skill_name__isnull=False, is_error=False
    )
    named = used.annotate(name=Coalesce("component_name", "skill_name")).values_list("name")
    counted = named.annotate(count=Count("id")).order_by("-count", "name")
    return [Used(str(name), count) for name, count in counted[:MOST]]


def _most(used: "Counter[str]") -> list[Used]:
    """Those that were used at all; tokens alone are no use."""
    ordered = sorted(used.items(), key=lambda it: (-it[1], it[0]))
    return [Used(name, count) for name, count in ordered if count][:MOST]
