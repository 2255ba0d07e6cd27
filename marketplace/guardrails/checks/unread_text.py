"""More text than is looked through, and files that are called text and hold none."""

import re
from collections.abc import Iterator

from marketplace.guardrails import limits
from marketplace.guardrails.citing import hold
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import FileContent, Subject

_CALLED_TEXT = re.compile(r"(?i).*\.(?:md|markdown|mdx|txt|json|ya?ml|toml|py|sh|bash|zsh|ps1|[cm]?js|ts)")


def check_unread(subject: Subject) -> Iterator[Finding]:
    for path in sorted(subject.unread):
        text = f"With it there is more text than the {limits.TEXT_CHARACTERS} characters that are looked at."
        yield hold("too_much_text", text, "Leave out data, or make it while running.", path)


def check_called_text(file: FileContent) -> Iterator[Finding]:
    if not file.is_text and _CALLED_TEXT.fullmatch(file.path):
        yield hold("not_text", "By its name it is text, and it holds none.", "Save it in UTF-8.", file.path)
