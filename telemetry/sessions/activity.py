"""What a person did in the last days, as of the last publish. Days are UTC."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from telemetry.attribution.item_names import flea_namespace, item_name
from telemetry.days import first_id, start_of, today
from telemetry.models import PublishingState, UsageEvent, UsageUserDaily

DAYS = 30
# So many of the most used are shown.
MOST = 8
# In the query of the figures, since the page has few queries to spend.
AS_OF = PublishingState.objects.values("as_of")[:1]
SUMS_OF_A_DAY = ("day", "invocations__sum", "error_count__sum", "as_of")
SUMS_OF_AN_ITEM = ("tool_name", "source", "ref_id", "invocations__sum", "flea")


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
    """Three queries. A skill counts where it was answered and did not fail (docs/COUNTING.md), as of now."""
    first = today() - timedelta(days=DAYS - 1)
    used = UsageUserDaily.objects.filter(user_id=user_id, day__range=(first, today()))
    as_of, days = _days(used, first)
    tools, plugins = _items(used)
    return Activity(as_of, days, tools, _skills(user_id, start_of(first)), plugins)


def _days(used: "QuerySet[UsageUserDaily]", first: date) -> tuple[datetime | None, list[Day]]:
    summed = used.values("day").annotate(Sum("invocations"), Sum("error_count"), as_of=Subquery(AS_OF))
    as_of = None
    sums: dict[date, tuple[int, int]] = {}
    for day, invocations, errors, as_of in summed.values_list(*SUMS_OF_A_DAY):  # noqa: B007
        sums[day] = invocations, errors
    all_days = (first + timedelta(days=number) for number in range(DAYS))
    return as_of, [Day(day, *sums.get(day, (0, 0))) for day in all_days]


def _items(used: "QuerySet[UsageUserDaily]") -> tuple[list[Used], list[Used]]:
    """Tools, and plugins."""
    tools: Counter[str] = Counter()
    plugins: Counter[str] = Counter()
    names: dict[str, str] = {}
    summed = used.values("tool_name", "source", "ref_id").annotate(Sum("invocations"), flea=flea_namespace())
    for tool_name, source, ref_id, count, namespace in summed.values_list(*SUMS_OF_AN_ITEM):
        if tool_name:
            tools[tool_name] += count
        if ref_id:
            key = f"{source}:{ref_id}"
            plugins[key] += count
            names[key] = item_name(ref_id, namespace)
    return _most(tools), [Used(names[it.name], it.count, it.name) for it in _most(plugins)]


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
