"""Text that people do not see and models read: tags, zero widths, directions, variation selectors."""

import re
from collections.abc import Iterator
from dataclasses import asdict

from marketplace.guardrails.citing import around, hold, reject
from marketplace.guardrails.normalising.texts import as_text, unescaped
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Block, FileContent, Subject, strings_in

# The flags of England, Scotland and Wales are spelled with tags, and begin with a black flag.
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f"
_TAG = re.compile("[\U000e0000-\U000e007f]")
_FLAGS_AND_TAGS = re.compile(f"(?:{_FLAG})++|(?P<tag>[\U000e0000-\U000e007f])")
_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064"
    "\u206a-\u206f\u3164\ufeff\uffa0"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_HIDDEN = {
    "Characters without width": re.compile(
        f"[{_ZERO_WIDTH}]{{2,}}|(?<=[A-Za-z])[\u200b-\u200d\u2060-\u2064\ufeff](?=[A-Za-z])"
    ),
    "Characters that turn the direction of writing": re.compile("[\u202a-\u202e\u2066-\u2069]"),
    "Variation selectors in a row": re.compile(f"[{_SELECTORS}]{{2,}}|(?<=[ -~])[{_SELECTORS}](?=[A-Za-z ])"),
}
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_CURE = "Type the line anew in a plain editor."


def check_tag_characters(file: FileContent) -> Iterator[Finding]:
    """Also of what is not looked through otherwise."""
    text = file.text or as_text(file.content) or ""
    if file.path.lower().endswith(".json"):
        text = unescaped(text)
    if not text.isascii() and (finding := _tags(Block(text, 1), file.path)):
        yield finding


def _tags(block: Block, path: str) -> Finding | None:
    """The first outside of a flag: what is a flag is passed over as a whole."""
    # Looked for first, since that takes a tenth of the time.
    if not _TAG.search(block.text):
        return None
    for match in _FLAGS_AND_TAGS.finditer(block.text):
        if match["tag"]:
            text = f"Invisible tag characters: {around(block.text, match.start())}"
            return reject("tag_characters", text, _CURE, path, block.line_of(match.start()))
    return None


def check_invisible_text(file: FileContent) -> Iterator[Finding]:
    for block in file.blocks():
        yield from _hidden(block, file.path)


def _hidden(block: Block, path: str) -> Iterator[Finding]:
    if not block.text.isascii():
        for what, pattern in _HIDDEN.items():
            if match := pattern.search(block.text):
                text = f"{what}: {around(block.text, match.start())}"
                yield hold("invisible_text", text, _CURE, path, block.line_of(match.start()))
    if match := _CONTROL.search(block.text):
        text = f"Control characters: {around(block.text, match.start())}"
        yield hold("invisible_text", text, _CURE, path, block.line_of(match.start()))


def check_escaped_text(subject: Subject) -> Iterator[Finding]:
    r"""Names and descriptions as they are shown: `\udb40\udc41` in JSON is a tag character, too."""
    text = described(subject)
    block = Block(text, 1)
    if finding := _tags(block, ""):
        yield finding
    else:
        yield from _hidden(block, "")


def described(subject: Subject) -> str:
    """All texts of what the parser read, decoded, one a line."""
    components = [asdict(component) for component in subject.plugin.components or ()]
    texts = strings_in([subject.plugin.manifest, components])
    return "\n".join(text.replace("\n", " ") for text in dict.fromkeys(texts))
