"""Characters that nobody sees, or that change how others are shown, as marks that everybody sees."""

import re

# Controls but tab and line feed, what turns the direction of text, what has no width, and tags. The two
# joiners stay: scripts and emoji need them, and they turn nothing.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_PICTURES = 0x2400
_DELETE = 0x7F


def visible(text: str) -> str:
    """`\\x1b[31m` becomes `␛[31m`, a character that turns the direction of text `{U+202E}`."""
    return _HIDDEN.sub(_mark, text.replace("\r\n", "\n"))


def _mark(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == _DELETE else f"{{U+{code:04X}}}"
