"""Values of a transcript as text for people. Nothing is cut or escaped here."""

import json
from collections.abc import Mapping
from typing import Any

from telemetry.transcripts.values import clean

INDENTED_CHARACTERS = 10_000
# So many images and documents are named.
NAMED_MEDIA = 20
# What every record has: where it stands, not what it says.
ENVELOPE = frozenset(
    (
        "attachment", "content", "cwd", "entrypoint", "gitBranch", "isMeta", "isSidechain", "level",
        "parentUuid", "sessionId", "session_id", "slug", "subtype", "timestamp", "type", "userType", "uuid",
        "version",
    )
)  # fmt: skip


def content_of(value: dict[str, Any]) -> Any:
    message = value.get("message")
    return message.get("content") if isinstance(message, dict) else None


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text_of(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def text_and_media(content: Any) -> tuple[str, list[str]]:
    """The text of a content, and what else is in it in words; JSON where it has another shape."""
    if content is None:
        return "", []
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list):
        return as_json(content), []
    texts = [
        text_of(block, "text") if _is_text(block) else as_json(block)
        for block in content
        if not _is_media(block)
    ]
    return "\n".join(texts), media_of(content)


def media_of(blocks: list[Any]) -> list[str]:
    """`image/png, 120 kB` for each image or document among these blocks: they are never shown."""
    media = [block for block in blocks if _is_media(block)]
    more = len(media) - NAMED_MEDIA
    return [_media(block) for block in media[:NAMED_MEDIA]] + ([f"and {more} more"] if more > 0 else [])


def _is_media(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") in ("image", "document")


def _is_text(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text"


def _media(block: dict[str, Any]) -> str:
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    kind = clean(source.get("media_type")) or str(block["type"])
    size = len(text_of(source, "data")) * 3 // 4
    return f"{kind}, {_size(size)}" if size else kind


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB"


def rest_as_lines(value: Mapping[str, Any]) -> str:
    """What a record says beside what every record has."""
    return as_lines({key: item for key, item in value.items() if key not in ENVELOPE})


def as_lines(value: Any) -> str:
    """An object as one `key: value` after another, texts as they are; anything else as JSON."""
    if not isinstance(value, dict):
        return "" if value is None else as_json(value)
    return "\n".join(f"{key}:{_after_colon(item)}" for key, item in value.items())


def _after_colon(item: Any) -> str:
    if not isinstance(item, str):
        return f" {as_json(item)}"
    return f"\n{item}" if "\n" in item else f" {item}"


def as_json(value: Any) -> str:
    """JSON for people; on one line where it is long, since indents may be many times as long as what they
    indent."""
    try:
        compact = json.dumps(value, ensure_ascii=False)
        is_long = len(compact) > INDENTED_CHARACTERS
        return compact if is_long else json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"
