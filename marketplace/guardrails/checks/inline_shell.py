"""Shell in the text of skills and commands, which runs when they are called, and tools they use unasked."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from marketplace.guardrails import limits
from marketplace.guardrails.checks.shell import runs_a_download
from marketplace.guardrails.citing import hold, reject, show
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject, strings_in
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.values import as_object

_WITH_SHELL = (ComponentKind.SKILL, ComponentKind.COMMAND)
_OPENS_BLOCK = re.compile(r"[ \t]*+```!")
_CLOSES_BLOCK = re.compile(r"[ \t]*+```")
# A span of two backticks comes first: in it, shell is only shown.
_SPAN = re.compile(r"(?<!`)``(?!`)(?:[^`\n]++|`(?!`))*+``(?!`)|(?<![\w`])!`([^`\n]++)`")
_WIDE = re.compile(r"\*|(?:bash|powershell)(?:\(\s*:?\*(?:\s*:?\*)?\s*\))?", re.IGNORECASE)
_SEE = "Nothing to change; its page says so, for others to know."
DOWNLOAD_CURE = "Bring the script along in the upload, where everybody can read it."
TOO_MUCH_SHELL_CURE = "Shorten it: nobody reads so much before it runs."


class Inline(NamedTuple):
    path: str
    line: int
    command: str


def check_inline_downloads(subject: Subject) -> Iterator[Finding]:
    left = limits.SHELL_CHARACTERS
    for path, line, command in inline_shell(subject):
        left -= len(command)
        if left < 0:
            text = "It runs more shell than can be looked through."
            yield hold("too_much_shell", text, TOO_MUCH_SHELL_CURE, path, line)
            return
        if runs_a_download(command):
            text = f"It runs what it downloads: {command}"
            yield reject("runs_download", text, DOWNLOAD_CURE, path, line)


def check_inline_shell(subject: Subject) -> Iterator[Finding]:
    for component in subject.plugin.components or ():
        if component.kind in _WITH_SHELL:
            yield from _wide_grants(component)
    for path, line, command in inline_shell(subject):
        yield show("inline_shell", f"It runs: {command}", _SEE, path, line)


def _wide_grants(component: Component) -> Iterator[Finding]:
    for tool in component.details.get("allowed-tools", []):
        if _WIDE.fullmatch(tool):
            what = "every tool" if tool == "*" else f"{tool}, that is any command,"
            yield show("wide_grant", f"It may use {what} without asking.", _SEE, component.path)


def inline_shell(subject: Subject) -> Iterator[Inline]:
    """Of skills and commands, also those in plugin.json."""
    for path in sorted({part.path for part in subject.plugin.components or () if part.kind in _WITH_SHELL}):
        for line, command in shell_in(_text(subject, path)):
            yield Inline(path, line, command)


def _text(subject: Subject, path: str) -> str:
    if path == MANIFEST:
        return "\n".join(strings_in(as_object(subject.plugin.manifest).get("commands")))
    file = subject.named(path)
    return file.text if file else ""


def shell_in(text: str) -> Iterator[tuple[int, str]]:
    """(line, command) of each span !`…` and each block ```! in a Markdown text."""
    block: list[str] | None = None
    began = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if block is not None:
            if _CLOSES_BLOCK.match(line):
                yield began, "\n".join(block)
                block = None
            else:
                block.append(line)
        elif opening := _OPENS_BLOCK.match(line):
            block, began = [line[opening.end() :]], number
        else:
            yield from ((number, match[1]) for match in _SPAN.finditer(line) if match[1])
    if block is not None:
        yield began, "\n".join(block)
