"""The roll-ups once more, straight from their definitions in docs/COUNTING.md: in Python, row by row."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from telemetry.days import today
from telemetry.models import (
    UsageComponentDaily,
    UsageDaily,
    UsageEvent,
    UsageMessage,
    UsagePluginDaily,
    UsagePluginWindow,
    UsageSessionSummary,
    UsageToolDaily,
    UsageUserDaily,
)

TABLES = (
    UsageToolDaily,
    UsagePluginDaily,
    UsageComponentDaily,
    UsageDaily,
    UsageUserDaily,
    UsagePluginWindow,
)
ERRORS = {"exit_code", "tool_error", "other"}
Rows = dict[str, list[tuple[Any, ...]]]


def stored() -> Rows:
    """What the roll-ups hold: all columns in their order but for the surrogate id and refreshed_at."""
    found: Rows = {}
    for model in TABLES:
        names = [field.attname for field in model._meta.fields if field.name not in ("id", "refreshed_at")]
        found[model._meta.db_table] = sorted(model._default_manager.values_list(*names))
    return found


def expected() -> Rows:
    events = [event for event in UsageEvent.objects.all() if event.occurred_at]
    messages = [message for message in UsageMessage.objects.all() if message.occurred_at]
    credited = [event for event in events if event.source != "builtin"]
    return {
        "usage_tool_daily": figures((it for it in events if it.tool_name), "tool_name", "source"),
        "usage_plugin_daily": figures(credited, "source", "ref_id"),
        "usage_component_daily": figures(credited, "source", "ref_id", "component_kind", "component_name"),
        "usage_daily": by_day(events, messages),
        "usage_user_daily": by_person(events, messages),
        "usage_plugin_window": [
            row for period, days in (("30d", 30), ("7d", 7)) for row in window(period, days, credited)
        ],
    }


def day_of(row: Any) -> date:
    day: date = row.occurred_at.date()
    return day


def tokens(message: UsageMessage) -> Counter[str]:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    return Counter({name: getattr(message, name) for name in names})


def token_sums(counts: Counter[str]) -> tuple[int, ...]:
    return tuple(
        counts[name]
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    )


def figures(events: Iterable[UsageEvent], *key: str) -> list[tuple[Any, ...]]:
    groups: dict[tuple[Any, ...], list[UsageEvent]] = defaultdict(list)
    for event in events:
        groups[day_of(event), *(getattr(event, name) or "" for name in key)].append(event)
    return sorted(
        (
            *group,
            len(members),
            sum(event.error_kind in ERRORS for event in members),
            len({event.user_id for event in members}),
            len({event.session_id for event in members}),
        )
        for group, members in groups.items()
    )


def by_day(events: list[UsageEvent], messages: list[UsageMessage]) -> list[tuple[Any, ...]]:
    summaries = UsageSessionSummary.objects.all()
    session_of = {summary.session_file: summary.session_id for summary in summaries}
    counts: dict[date, Counter[str]] = defaultdict(Counter)
    people: dict[date, set[int]] = defaultdict(set)
    sessions: dict[date, set[str]] = defaultdict(set)

    def active(day: date, user_id: int, session_id: str | None) -> None:
        people[day].add(user_id)
        sessions[day] |= {session_id} if session_id else set()

    for event in events:
        active(day_of(event), event.user_id, event.session_id)
        counts[day_of(event)][event.source] += 1
        counts[day_of(event)]["errors"] += event.error_kind in ERRORS
    for message in messages:
        active(day_of(message), message.user_id, session_of.get(message.session_file))
        counts[day_of(message)].update(tokens(message))
        counts[day_of(message)]["messages"] += 1
    for summary in summaries:
        if summary.started_at:
            active(summary.started_at.date(), summary.user_id, summary.session_id)
            counts[summary.started_at.date()]["prompts"] += summary.user_messages
    named = ("messages", "prompts", "curated", "flea", "builtin", "errors")
    return sorted(
        (
            day,
            len(people[day]),
            len(sessions[day]),
            *(counts[day][name] for name in named),
            *token_sums(counts[day]),
        )
        for day in people
    )


def by_person(events: list[UsageEvent], messages: list[UsageMessage]) -> list[tuple[Any, ...]]:
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for event in events:
        key = (day_of(event), event.user_id, event.tool_name or "", event.source, event.ref_id or "")
        counts[key]["invocations"] += 1
        counts[key]["errors"] += event.error_kind in ERRORS
    for message in messages:
        key = (day_of(message), message.user_id, "", message.source, message.ref_id or "")
        counts[key].update(tokens(message))
    return sorted(
        (*key, count["invocations"], count["errors"], *token_sums(count)) for key, count in counts.items()
    )


def window(period: str, days: int, credited: list[UsageEvent]) -> list[tuple[Any, ...]]:
    now: Counter[tuple[str, str]] = Counter()
    before: Counter[tuple[str, str]] = Counter()
    people: dict[tuple[str, str], set[int]] = defaultdict(set)
    for event in credited:
        item = (event.source, event.ref_id or "")
        age = today() - day_of(event)
        if timedelta(0) <= age < timedelta(days=days):
            now[item] += 1
            people[item].add(event.user_id)
        elif timedelta(0) <= age < timedelta(days=2 * days):
            before[item] += 1
    return sorted(
        (period, *item, now[item], len(people[item]), before[item]) for item in now.keys() | before.keys()
    )
