"""Values of any type, as the text, number or list that was meant."""

from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.text import shortened, storable

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


def as_text(value: Any) -> str | None:
    """Text of a scalar as JavaScript would write it, None for anything else and for blank text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (int, float)):
        return str(value)
    return storable(value) if isinstance(value, str) and value.strip() else None


def as_description(value: Any) -> str:
    """Text of a scalar, or of a list of scalars; '' for anything else."""
    if isinstance(value, list):
        return shortened(", ".join(filter(None, map(as_text, value[: limits.LIST_ITEMS]))))
    return shortened(as_text(value) or "")


def as_bool(value: Any) -> bool | None:
    word = (as_text(value) or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def as_words(value: Any) -> list[str]:
    """A list of texts, or a text split on spaces and commas outside of brackets: `Bash(git add:*), Read`."""
    if isinstance(value, list):
        return [shortened(text) for text in map(as_text, value[: limits.LIST_ITEMS]) if text]
    text = shortened(as_text(value) or "")
    # A list that only became readable as text: `tools: [Read, Grep]` beside a line that is not YAML.
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return _split(text)[: limits.LIST_ITEMS]


def _split(text: str) -> list[str]:
    words, word, depth = [], "", 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth <= 0 and char in " ,\n\t":
            words.append(word)
            word = ""
        else:
            word += char
    return [word for word in (*words, word) if word]


def as_texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; nothing if it is none."""
    items = value if isinstance(value, list) else []
    return tuple(
        shortened(item) for item in items[: limits.LIST_ITEMS] if isinstance(item, str) and item.strip()
    )


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
