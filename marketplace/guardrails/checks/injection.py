"""Text that is meant for the model and not for its user. It proves nothing, so somebody has a look.

Held: a file with two intentions of `phrases`, or an upload with three.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import chain
from time import process_time
from typing import NamedTuple

from marketplace.guardrails import limits
from marketplace.guardrails.checks.invisible_text import described
from marketplace.guardrails.checks.look_alikes import LOOK_ALIKES
from marketplace.guardrails.checks.phrases import PHRASES
from marketplace.guardrails.citing import around, hold
from marketplace.guardrails.normalising.texts import unescaped
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Block, FileContent, Subject

KINDS_IN_A_FILE, KINDS_IN_ALL = 2, 3
_ADDRESSED = re.compile(r"\b(?:claude|assistant|language model|ai|llm|agent|model|asistent\w*|model\w*)\b")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=,;])[A-Za-z0-9+/]{1500,}={0,2}")
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_CURE = "Say openly what it does, and leave out what is said to the model alone; or ask an admin to look."


class Found(NamedTuple):
    kind: str
    path: str
    line: int
    text: str


class _TakesTooLong(Exception):
    pass


def check_injection(subject: Subject) -> Iterator[Finding]:
    found: list[Found] = []
    reported: set[str] = set()
    until = process_time() + limits.PHRASES_CPU_SECONDS
    for file in chain([FileContent("", b"", described(subject))], subject.texts()):
        try:
            of_file = _of_file(file, until)
        except _TakesTooLong:
            text = "Looking through the text takes too long."
            yield hold("too_much_text", text, "Leave out data, or make it while running.", file.path)
            break
        if len(of_file) >= KINDS_IN_A_FILE:
            reported.add(file.path)
            yield from map(_finding, of_file)
        found += of_file
    if len({item.kind for item in found}) >= KINDS_IN_ALL:
        yield from (_finding(item) for item in found if item.path not in reported)


def _finding(found: Found) -> Finding:
    return hold("injection", f"{found.kind}: {found.text}", _CURE, found.path, found.line or None)


def _of_file(file: FileContent, until: float) -> list[Found]:
    """The first of each kind. Raises _TakesTooLong when the processor has worked `until` then."""
    kinds: dict[str, Found] = {}
    for block in file.blocks(limits.PHRASES_BLOCK_CHARACTERS):
        if process_time() > until:
            raise _TakesTooLong
        block = Block(unescaped(block.text), block.line)
        for kind, position, text in _in_text(block.text, kinds.keys()):
            kinds.setdefault(kind, Found(kind, file.path, block.line_of(position), text))
    return list(kinds.values())


def _in_text(text: str, known: Collection[str]) -> Iterator[tuple[str, int, str]]:
    """(kind, position in the text, what to cite) of the kinds that are not known yet."""
    plain = simplified(text)
    for kind, phrases in PHRASES.items():
        if kind not in known and (match := phrases.search(plain)):
            yield kind, *_as_written(text, plain, match.start())
    for position, comment in comments_in(text):
        if _is_instruction(simplified(comment)):
            yield "tells the model in a comment", position, comment
            break
    if match := _BASE64.search(text):
        said = f"{len(match[0])} characters, beginning {match[0][:16]}"
        yield "long encoded text", match.start(), said


def _as_written(text: str, plain: str, position: int) -> tuple[int, str]:
    """The beginning of the same line in the text, and the line; of a long one what was found in it."""
    number = plain.count("\n", 0, position)
    lines = text.split("\n", number + 1)
    start = sum(len(line) + 1 for line in lines[:number])
    line = lines[number]
    return start, line if len(line) <= 4 * limits.CITED_CHARACTERS else around(plain, position)


def comments_in(text: str) -> Iterator[tuple[int, str]]:
    """(position, text) of the comments of HTML, each searched once from its beginning."""
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start)
        if end < 0:
            return
        yield start, text[start : end + 3]
        start = text.find("<!--", end)


def _is_instruction(comment: str) -> bool:
    return bool(_ADDRESSED.search(comment)) and any(phrases.search(comment) for phrases in PHRASES.values())


def simplified(text: str) -> str:
    """Lower case, without accents, invisible characters and look-alikes; lines stay where they are."""
    text = text.casefold().replace("\0", "")
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_ZERO_WIDTH))
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.translate(LOOK_ALIKES)
