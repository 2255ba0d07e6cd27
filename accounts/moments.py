"""Dates and times that people type."""

from datetime import UTC, datetime

from django.utils import timezone

EXAMPLE = "2026-05-01 or 2026-05-01T10:00"


def read_moment(text: str) -> datetime:
    """A date is its start; without a zone it is meant in the reader's, UTC in the API. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a date or a date and time, such as {EXAMPLE}") from None
    try:
        return (moment if moment.tzinfo else timezone.make_aware(moment)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the calendar; use something such as {EXAMPLE}") from None
