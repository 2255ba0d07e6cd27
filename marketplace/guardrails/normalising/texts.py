"""Bytes as text, where they are text."""

import codecs
import re

# The longer one first: it begins as that of UTF-16 does.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LOOKED_AT = 8192
# Text with a zero here and there still is read by people and models.
_ZEROS_OF_TEXT = 100
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})++")
_STRINGS = re.compile(rb"[\t\x20-\x7e]{8,}")


def as_text(content: bytes) -> str | None:
    """The text of a file, None if it is none. Bytes that are no UTF-8 are taken for Latin-1."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.decode(encoding, "replace").removeprefix("\ufeff")
    zeros = content.count(0)
    if zeros * _ZEROS_OF_TEXT > len(content):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None if zeros else _as_latin(content)


def _as_latin(content: bytes) -> str | None:
    text = content.decode("latin-1")
    controls = len(_CONTROL.findall(text[:_LOOKED_AT]))
    return None if controls * 100 > len(text[:_LOOKED_AT]) else text


def strings_of(content: bytes) -> str:
    """What can be read in a file that is no text, a line each. UTF-16 without its mark is among it."""
    return b"\n".join(_STRINGS.findall(content.replace(b"\0", b""))).decode("ascii")


def unescaped(text: str) -> str:
    r"""With the characters that JSON may write as `\u0041`; lines stay where they are."""
    return _ESCAPES.sub(_unescape, text) if "\\u" in text else text


def _unescape(match: re.Match[str]) -> str:
    units = bytes.fromhex(match[0].replace("\\u", ""))
    characters = units.decode("utf-16-be", "replace")
    return match[0] if any(char in "\r\n" for char in characters) else characters


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
