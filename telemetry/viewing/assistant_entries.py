"""What a record of the assistant says: answers, thoughts, calls."""

from collections.abc import Iterator
from typing import Any

from telemetry.transcripts.known_format import BLOCK_TYPES
from telemetry.transcripts.messages import SYNTHETIC_MODEL
from telemetry.transcripts.records import Record
from telemetry.transcripts.values import clean
from telemetry.viewing.entry import Entry, Kind
from telemetry.viewing.wording import as_json, as_lines, content_of, list_of, media_of, shortened, text_of

# What of an input tells best what a call does; the first that is a text.
TELLING = ("description", "command", "file_path", "path", "pattern", "query", "url", "skill", "prompt")
TELLING_CHARACTERS = 120


def assistant_entries(value: dict[str, Any], record: Record) -> Iterator[Entry]:
    content = content_of(value)
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list_of(content)
    for block in blocks:
        entry = _assistant_entry(block, record) if isinstance(block, dict) else _odd_block(block)
        if entry is not None:
            yield entry


def _assistant_entry(block: dict[str, Any], record: Record) -> Entry | None:
    kind = block.get("type")
    if kind == "text":
        return _answer(text_of(block, "text"), record)
    if kind == "thinking":
        thought = text_of(block, "thinking")
        # Most are written without their text.
        return Entry(Kind.THINKING, "Thinking", thought) if thought.strip() else None
    if kind == "redacted_thinking":
        return Entry(Kind.THINKING, "Thinking, encrypted")
    if kind in ("tool_use", "server_tool_use"):
        return _call(block)
    return _odd_block(block)


def _answer(text: str, record: Record) -> Entry | None:
    if record.isApiErrorMessage is True:
        return Entry(Kind.ERROR, "API error", text)
    if clean(record.message.model if record.message else None) == SYNTHETIC_MODEL:
        return Entry(Kind.SYSTEM, "Written by Claude Code", text)
    return Entry(Kind.ANSWER, "Claude", text) if text.strip() else None


def _call(block: dict[str, Any]) -> Entry:
    given = block.get("input")
    return Entry(
        Kind.CALL,
        clean(block.get("name")) or "(no name)",
        as_lines(given),
        about=_about(given),
        call_id=text_of(block, "id"),
    )


def _about(given: Any) -> str:
    """What a call does, in a few words."""
    if not isinstance(given, dict):
        return ""
    told = [given.get("subagent_type"), next(filter(None, (text_of(given, key) for key in TELLING)), "")]
    first_lines = [text.strip().partition("\n")[0] for text in told if isinstance(text, str) and text.strip()]
    return shortened(": ".join(first_lines), TELLING_CHARACTERS)


def _odd_block(block: Any) -> Entry:
    name = clean(block.get("type")) if isinstance(block, dict) else ""
    title = f"Block of type {name}" if name in BLOCK_TYPES else f"Unknown block type: {name or 'none'}"
    return Entry(Kind.UNKNOWN, title, as_json(block), notes=media_of([block]))
