"""Uploads made to cost time and memory, as large as the limits let them be. None is harmful otherwise."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from marketplace.tests.guardrails.helpers import SKILL, plugin

FILE = 5_000_000
# Together with the small ones under the limit for all files.
FILES = 11
# All that is looked through, and what is looked through of shell.
SMALL, SMALLS = 980_000, 4
# The ratio of an archive is limited, so each file ends in some bytes that do not shrink.
NOISE = 170_000
Files = Mapping[str, Any]


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def filled(pattern: str, seed: int = 0, size: int = FILE) -> bytes:
    """The pattern over and over, and hexadecimal noise that keeps the file from being a bomb."""
    tail = noise(NOISE // 2, seed).hex().encode()
    unit = pattern.encode()
    return unit * ((size - len(tail) - 1) // len(unit)) + b"\n" + tail


def with_texts(pattern: str) -> Files:
    """As much as is looked through, and as much more as there may be."""
    small = {f"data/{number}.txt": filled(pattern, number, SMALL) for number in range(SMALLS)}
    large = {f"more/{number}.txt": filled(pattern, number) for number in range(FILES)}
    return {"SKILL.md": SKILL, **small, **large}


def words() -> Files:
    """60 MB as people write."""
    some = random.Random(1)
    known = [noise(some.randint(1, 6), number).hex() for number in range(400)]
    text = " ".join(some.choices(known, k=700_000))
    lines = text.replace(" 1", ".\n")
    small = {f"data/{number}.txt": lines[:SMALL] for number in range(SMALLS)}
    return {"SKILL.md": SKILL, **small, **{f"more/{number}.txt": lines[:FILE] for number in range(FILES)}}


def front_matters(size: int, line: str = "key-{0}: some words: of it\n") -> Files:
    block = "".join(line.format(number) for number in range(size // len(line)))
    page = f"---\ndescription: Does it.\n{block}---\nGo.\n"
    return plugin({f"commands/c{number}.md": page for number in range(490)})


def hook_script(pattern: str) -> Files:
    hooks = {"SessionStart": [{"hooks": [{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/s/run.sh"}]}]}
    return plugin({"hooks/hooks.json": {"hooks": hooks}, "s/run.sh": filled(pattern, size=SMALL)})


def pages(pattern: str, number: int = SMALLS) -> Files:
    return plugin({f"commands/c{n}.md": b"Go.\n" + filled(pattern, n, SMALL) for n in range(number)})


def configurations() -> Files:
    """As many files of hooks as there may be."""
    handlers = [{"type": "command", "command": "run " + "x" * 500} for _ in range(180)]
    content = json.dumps({"hooks": {"Stop": [{"hooks": handlers}]}, "x": noise(2_000, 1).hex()})
    paths = [f"./h/{number}.json" for number in range(480)]
    return plugin({path[2:]: content for path in paths}, hooks=paths)


def wide_text() -> Files:
    """One character that makes Python take four bytes for each."""
    return with_texts("\U0001f600 abcdefg hijk " * 50)


def binaries() -> Files:
    """Nearly text: what is printable between zeros."""
    return with_texts("key=abc\0" + "://a:b1234567@c " * 3)


def tokens() -> Files:
    return with_texts("ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ2bC4dF6hJ8 ")


HEAVY_UPLOADS: dict[str, Callable[[], Files]] = {
    "60 MB of words": words,
    "60 MB of wide characters": wide_text,
    "60 MB of binary": binaries,
    "490 front matters of 6 KB": lambda: front_matters(6_000),
    "490 front matters of 16 KB": lambda: front_matters(16_000),
    "front matters of lists": lambda: front_matters(2_000, "k{0}: [a,b,c,d,e,f]\n"),
    "480 files of hooks": configurations,
    "nothing but ://": lambda: with_texts("://"),
    "addresses": lambda: with_texts("://a:b1234567@c "),
    "example addresses": lambda: with_texts("://a:example1@c "),
    "assignments": lambda: with_texts("token=abcdef "),
    "equal signs": lambda: with_texts("a=bcdefg "),
    "authorization": lambda: with_texts("authorization "),
    "private keys": lambda: with_texts("-----BEGIN PRIVATE KEY-----"),
    "json web tokens": lambda: with_texts("eyJ" + "a" * 2000),
    "tokens": tokens,
    "open comments": lambda: with_texts("<!--"),
    "comments": lambda: with_texts("<!-- claude ignore ignore ignore -->"),
    "sending": lambda: with_texts("send to to to to to @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ "),
    "ignoring": lambda: with_texts("ignore a a a "),
    "reading": lambda: with_texts("read ` ` ` ` ` ` ` "),
    "curl in a text": lambda: with_texts("curl -d "),
    "curl in a script": lambda: hook_script("curl "),
    "curl to files": lambda: hook_script("curl -o a;&& "),
    "curl in pipes": lambda: hook_script("curl a|b|"),
    "curl in quotes": lambda: hook_script("curl \"'$(`"),
    "curl in parentheses": lambda: hook_script("sh $( "),
    "inline shells": lambda: pages("!`curl a;&&|b` ", 1),
    "inline shells everywhere": lambda: pages("!`a` "),
    "backticks": lambda: pages("``a```"),
    "blocks of shell": lambda: pages("```!\n"),
    "spaces": lambda: with_texts("  \n"),
    "zero widths": lambda: with_texts("a\u200b"),
    "flags": lambda: with_texts("\U0001f3f4\U000e0067\U000e007f"),
    "controls": lambda: with_texts("\x01"),
    "at signs": lambda: with_texts("send to @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ " * 3),
    "uploads without end": lambda: with_texts("upload a b c d e f g h i j k l "),
    "curl -d without end": lambda: with_texts("curl " + "-d a " * 60),
    "hiding": lambda: with_texts("never tell a a a a "),
    "one long word": lambda: with_texts("ignore " + "a" * 15_000 + " "),
    "system": lambda: with_texts("<system "),
    "one command after another": lambda: hook_script("curl;a;"),
    "words of commands": lambda: hook_script("sh -a curl -o a\n"),
    "base64": lambda: with_texts("aB3d" * 370 + "! "),
}
