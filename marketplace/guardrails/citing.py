"""Findings, with what they cite made safe for a page, a log and a table."""

import re

from marketplace.guardrails import limits
from marketplace.guardrails.credentials import masked
from marketplace.guardrails.records import Finding, Severity

# A citation is cut out of so much around it, that no credential at its edge loses the mark it is known by.
CONTEXT_CHARACTERS = 2000
_BLANK = re.compile(r"\s+")
# Unicode calls these printable: fillers and joiners of some scripts, and variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def reject(code: str, text: str, cure: str, path: str = "", line: int | None = None) -> Finding:
    return _finding(code, Severity.REJECT, text, cure, path, line)


def hold(code: str, text: str, cure: str, path: str = "", line: int | None = None) -> Finding:
    return _finding(code, Severity.HOLD, text, cure, path, line)


def show(code: str, text: str, cure: str, path: str = "", line: int | None = None) -> Finding:
    return _finding(code, Severity.SHOW, text, cure, path, line)


def _finding(code: str, severity: Severity, text: str, cure: str, path: str, line: int | None) -> Finding:
    cure = cited(cure, limits.CURE_CHARACTERS)
    return Finding(code, severity, cited(path, 2 * limits.PATH_BYTES), line, cited(text), cure)


def cited(text: str, length: int = limits.CITED_CHARACTERS) -> str:
    """One line of at most `length` characters, secrets masked, everything invisible written out."""
    text = masked(text[: length + CONTEXT_CHARACTERS])
    shown = "".join(map(_visible, _BLANK.sub(" ", text).strip()[: length + 1]))
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _visible(char: str) -> str:
    return char if char.isprintable() and not _UNSEEN.match(char) else ascii(char)[1:-1]


def line_at(text: str, position: int) -> str:
    """The line around a position; of a very long one what is near."""
    start = max(text.rfind("\n", 0, position) + 1, position - CONTEXT_CHARACTERS)
    end = text.find("\n", position)
    return text[start : min(len(text) if end < 0 else end, position + CONTEXT_CHARACTERS)]


def around(text: str, position: int) -> str:
    """What to cite of the line at a position, masked."""
    # With its whole line: cut off from its beginning, a credential would not be known for one.
    return shortened_to(masked(line_at(text, position)), text[position : position + 12])


def shortened_to(line: str, what: str) -> str:
    """The line if it is short, else the part in which `what` stands."""
    if len(line) <= limits.CITED_CHARACTERS:
        return line
    at = line.find(what)
    return line[max(0, at - limits.CITED_CHARACTERS // 3) :]
