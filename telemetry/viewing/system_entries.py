"""What records of the system and attachments say."""

from collections.abc import Iterator
from typing import Any

from telemetry.transcripts.prompts import command_name, is_steering_prompt, spoken_text
from telemetry.transcripts.records import Record
from telemetry.transcripts.values import END_OF_TIME_MS, clean
from telemetry.viewing.commands import command_entry, output_entry
from telemetry.viewing.entry import Entry, Kind
from telemetry.viewing.wording import as_json, as_lines, rest_as_lines, text_and_media, text_of


def system_entries(value: dict[str, Any], record: Record) -> Iterator[Entry]:
    subtype = record.subtype or ""
    content = record.content if isinstance(record.content, str) else ""
    if subtype == "compact_boundary":
        yield Entry(Kind.COMPACTION, "Compacted", about=_compaction(value.get("compactMetadata")))
    elif subtype == "api_error":
        yield Entry(Kind.ERROR, "The API failed", rest_as_lines(value), about=_retry(value))
    elif subtype == "turn_duration":
        yield Entry(Kind.SYSTEM, "Turn ended", about=_after(value.get("durationMs")))
    elif subtype == "local_command":
        text = spoken_text(content)
        yield command_entry(text) if command_name(text) else output_entry(text)
    else:
        title = subtype.replace("_", " ").capitalize() or "System"
        yield Entry(Kind.SYSTEM, title, "\n".join(filter(None, (content, rest_as_lines(value)))))


def _after(milliseconds: Any) -> str:
    is_real = type(milliseconds) in (int, float) and 0 <= milliseconds < END_OF_TIME_MS
    return f"after {milliseconds / 1000:.1f} s" if is_real else ""


def _compaction(about: Any) -> str:
    if not isinstance(about, dict):
        return ""
    before = about.get("preTokens")
    told = [
        text_of(about, "trigger"),
        f"{before:,} tokens before".replace(",", "\u2009") if type(before) is int else "",
    ]
    return ", ".join(filter(None, told))


def _retry(value: dict[str, Any]) -> str:
    attempt, limit = value.get("retryAttempt"), value.get("maxRetries")
    return f"tried again, {attempt} of {limit}" if type(attempt) is int and type(limit) is int else ""


def attachment_entry(value: dict[str, Any], record: Record) -> Entry:
    attachment = value.get("attachment")
    if not isinstance(attachment, dict):
        return Entry(Kind.INJECTED, "Attachment", as_json(attachment))
    if attachment.get("type") == "queued_command":
        title = "Prompt, typed while Claude worked" if is_steering_prompt(record) else "Queued message"
        kind = Kind.PROMPT if is_steering_prompt(record) else Kind.MESSAGE
        text, notes = text_and_media(attachment.get("prompt"))
        return Entry(kind, title, text, notes=notes)
    name = clean(attachment.get("type")).replace("_", " ") or "without a type"
    rest = {key: item for key, item in attachment.items() if key != "type"}
    return Entry(Kind.INJECTED, f"Attachment: {name}", as_lines(rest))
