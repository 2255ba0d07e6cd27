"""Text of unknown origin, made fit for a database, a page and a message."""

import re

from marketplace.plugins import limits

# PostgreSQL stores no NUL, and half of a surrogate pair has no UTF-8.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The same text, with U+FFFD for each character that a database refuses."""
    return _UNSTORABLE.sub("\ufffd", text)


def quoted(value: object) -> str:
    """A value as part of a message: on one line, short, control characters escaped."""
    text = value if isinstance(value, str) else repr(value)[: 2 * limits.QUOTED_CHARACTERS]
    shown = "".join(
        char if char.isprintable() else ascii(char)[1:-1] for char in text[: limits.QUOTED_CHARACTERS]
    )
    return f"“{shown}{'…' if len(text) > limits.QUOTED_CHARACTERS else ''}”"


def first_paragraph(markdown: str) -> str:
    """The first lines that hold text, as one line without heading marks."""
    lines: list[str] = []
    for line in markdown.splitlines():
        if line.strip():
            lines.append(line.strip().lstrip("#").strip())
        elif lines:
            break
    return storable(shortened(" ".join(lines)))


def shortened(text: str, length: int = limits.DESCRIPTION_CHARACTERS) -> str:
    """At most `length` characters, spaces around it removed."""
    text = text[: 4 * length].strip()
    return text if len(text) <= length else text[: length - 1] + "…"
