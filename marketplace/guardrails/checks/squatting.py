"""Names that are, or look like, somebody else's."""

import re
from collections.abc import Iterable, Iterator

from marketplace.guardrails.checks.look_alikes import LOOK_ALIKES
from marketplace.guardrails.citing import hold, reject
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject

RESERVED = ("anthropic", "claude", "official")
# Claude Code's own commands and agents. A skill of this name is typed in place of the real one.
BUILT_IN = frozenset(
    [
        "add-dir",
        "agents",
        "branch",
        "btw",
        "bug",
        "clear",
        "color",
        "compact",
        "config",
        "context",
        "copy",
        "cost",
        "debug",
        "diff",
        "doctor",
        "effort",
        "exit",
        "export",
        "extra-usage",
        "fast",
        "feedback",
        "fork",
        "help",
        "hooks",
        "ide",
        "init",
        "insights",
        "install-github-app",
        "install-slack-app",
        "keybindings",
        "login",
        "logout",
        "loop",
        "mcp",
        "memory",
        "mobile",
        "model",
        "output-style",
        "passes",
        "permissions",
        "plan",
        "plugin",
        "plugins",
        "pr-comments",
        "privacy-settings",
        "quit",
        "release-notes",
        "reload-plugins",
        "remote-control",
        "rename",
        "resume",
        "review",
        "rewind",
        "sandbox",
        "schedule",
        "security-review",
        "settings",
        "simplify",
        "skills",
        "stats",
        "status",
        "statusline",
        "stickers",
        "tasks",
        "terminal-setup",
        "theme",
        "todos",
        "ultrareview",
        "upgrade",
        "usage",
        "vim",
        "voice",
        "explore",
        "general-purpose",
        "plan",
        "statusline-setup",
        "output-style-setup",
        "claude-code-guide",
    ]
)
_LETTERS = str.maketrans("034578", "oeastb")
_SEPARATORS = str.maketrans("", "", "-_. ")
# Short names are close to each other by chance.
NEAR = ((8, 2), (5, 1))
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_RENAME = "Choose another name."


def check_squatting(subject: Subject) -> Iterator[Finding]:
    slug = subject.slug
    for word in reserved_words(slug):
        text = f"The name “{slug}” holds “{word}”, as if it were the maker's own."
        yield reject("name_reserved", text, "Leave the word out.")
    taken = (
        (BUILT_IN, "that of a command or agent of Claude Code"),
        (subject.known.curated, "that of a curated plugin"),
        (subject.known.flea, "taken"),
    )
    for names, what in taken:
        if other := same_name(slug, names):
            which = "" if other == slug else f": “{other}”"
            yield reject("name_taken", f"The name “{slug}” is {what}{which}.", _RENAME)
            return
    if other := _near(slug, subject.known.curated):
        text = f"The name “{slug}” is close to that of the curated plugin “{other}”."
        yield hold("name_near", text, f"{_RENAME} Or ask an admin to let it through.")


def check_look_alikes(subject: Subject) -> Iterator[Finding]:
    """Skills, commands and agents whose names are typed in one script and read in another."""
    for component in subject.plugin.components or ():
        name = component.name.casefold()
        if component.identifiers and not name.isascii() and name.translate(LOOK_ALIKES).isascii():
            text = f"The name “{component.name}” has letters of another script that look like Latin ones."
            yield hold("name_looks_alike", text, _RENAME, component.path)


def reserved_words(name: str) -> Iterator[str]:
    """Those that stand in it, also as a part of a word where no plain word has them."""
    words = {form for part in _BETWEEN_WORDS.split(name) for form in foldings(part)}
    whole = foldings(name)
    for word in RESERVED:
        if word in words or any(word in form for form in whole if word != "official"):
            yield word


def foldings(name: str) -> set[str]:
    """What it can be read as: without separators, digits as letters; a one is an l or an i."""
    folded = name.casefold().translate(_SEPARATORS)
    letters = folded.translate(_LETTERS)
    return {folded, letters.replace("1", "l"), letters.replace("1", "i")}


def same_name(slug: str, names: Iterable[str]) -> str | None:
    forms = foldings(slug)
    return next((name for name in sorted(names) if not forms.isdisjoint(foldings(name))), None)


def _near(slug: str, names: Iterable[str]) -> str | None:
    for name in sorted(names):
        ours, theirs = (text.casefold().translate(_SEPARATORS) for text in (slug, name))
        shorter = min(len(ours), len(theirs))
        allowed = next((distance for length, distance in NEAR if shorter >= length), 0)
        if allowed and abs(len(ours) - len(theirs)) <= allowed and distance(ours, theirs) <= allowed:
            return name
    return None


def distance(one: str, other: str) -> int:
    """Levenshtein's: how many letters are added, left out or replaced."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row[0] = row[0], number
        for column, counterpart in enumerate(other, start=1):
            changed = before + (letter != counterpart)
            before = row[column]
            row[column] = min(row[column] + 1, row[column - 1] + 1, changed)
    return row[-1]
