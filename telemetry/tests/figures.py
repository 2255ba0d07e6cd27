"""What the database says, for comparing two worlds: everything that must not depend on the way there."""

from typing import Any

from accounts.models import User
from telemetry.intake.storing import store_transcript
from telemetry.models import UsageEvent, UsageMessage, UsageSessionSummary
from telemetry.processors.runner import run

VOLATILE = {"extracted_at", "user", "user_id", "username", "session_file"}


def upload(owner: User, content: bytes) -> str:
    """Store a transcript; how intake answered."""
    return store_transcript(owner, [content]).status


def processed() -> None:
    """Process everything that is pending; nothing may fail."""
    report = run("usage", wait=True)
    assert not report.failures


def usage_of(owner: User) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a person in all usage tables, without what differs between two persons' worlds."""
    return {
        "events": _rows(UsageEvent, owner, skip={"id"}),
        "messages": _rows(UsageMessage, owner, skip={"id"}),
        "summaries": _rows(UsageSessionSummary, owner, skip={"id"}),
    }


def _rows(model: Any, owner: User, skip: set[str]) -> list[tuple[Any, ...]]:
    names = [field.attname for field in model._meta.fields if field.attname not in VOLATILE | skip]
    return sorted(model.objects.filter(user=owner).values_list(*names), key=repr)
