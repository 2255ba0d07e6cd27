"""Figures of a whole installation that must be the same after a restore."""

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Sum

from accounts.models import AuditLog, User
from marketplace.models import Plugin
from telemetry.models import (
    SessionTranscript,
    UsageDaily,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
    UsageToolDaily,
)

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")


def totals_of(using: str = DEFAULT_DB_ALIAS) -> dict[str, int]:
    """Only of columns that tables have had from their first migration on: an older backup has these."""
    tokens = UsageMessage.objects.using(using).aggregate(count=Count("*"), **{it: Sum(it) for it in TOKENS})
    daily = UsageDaily.objects.using(using).aggregate(prompts=Sum("prompts"), errors=Sum("errors"))
    tools = UsageToolDaily.objects.using(using).aggregate(invocations=Sum("invocations"))
    return {
        "people": User.objects.using(using).count(),
        "transcripts": SessionTranscript.objects.using(using).count(),
        "events": UsageEvent.objects.using(using).count(),
        "messages": tokens.pop("count"),
        **{name.replace("_", " "): total or 0 for name, total in tokens.items()},
        "summaries": UsageSessionSummary.objects.using(using).count(),
        "invocations by day": tools["invocations"] or 0,
        "prompts by day": daily["prompts"] or 0,
        "errors by day": daily["errors"] or 0,
        "plugins": Plugin.objects.using(using).count(),
        "audit rows": AuditLog.objects.using(using).count(),
    }


def differences(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    """In words; what only one of them has is no difference."""
    return [
        f"{found[name]} {name} instead of {total}"
        for name, total in expected.items()
        if found.get(name, total) != total
    ]
