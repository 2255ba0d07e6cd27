"""What single values mean: timestamps, names, token counts (docs/COUNTING.md section 2)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

NAME_CHARACTERS = 255
MAX_TOKENS = 10**12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
END_OF_TIME_MS = 253_402_300_800_000  # 10000-01-01T00:00:00Z

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def timestamp_ms(value: str | None) -> int | None:
    """Milliseconds since 1970 UTC of an ISO-8601 timestamp, or None where it is not a real one."""
    if value is None or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = (moment - EPOCH) // MILLISECOND
    return milliseconds if 0 <= milliseconds < END_OF_TIME_MS else None


def from_ms(milliseconds: int | None) -> datetime | None:
    """The UTC moment of a number of milliseconds since 1970."""
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def iso_ms(milliseconds: int | None) -> str:
    """`2026-05-01T10:00:00.000Z`, or `-` for no time: the form of digests."""
    if milliseconds is None:
        return "-"
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def clean(value: Any) -> str:
    """A name fit to be stored: no NUL or lone surrogate, trimmed, at most 255 characters; '' if no text."""
    if not isinstance(value, str):
        return ""
    text: str = value
    if not text.isascii() or "\x00" in text:
        text = _UNSTORABLE.sub("\ufffd", text)
    return text.strip()[:NAME_CHARACTERS]


def bare(value: Any) -> str:
    """A cleaned name without one leading slash."""
    return clean(value).removeprefix("/").strip()


def token_count(value: Any) -> int:
    """An integer from 0 to 10^12; anything else, true included, counts 0."""
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else 0
