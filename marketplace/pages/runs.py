"""What an item runs on one's machine by itself, beside what Claude decides to run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from marketplace.models import Component
from marketplace.pages.kinds import one
from marketplace.plugins.records import ComponentKind

_RUN = {ComponentKind.MCP_SERVER, ComponentKind.LSP_SERVER, ComponentKind.HOOK, ComponentKind.MONITOR}

_WITH_HOOKS = {ComponentKind.SKILL, ComponentKind.COMMAND}


@dataclass(frozen=True)
class Run:
    """`what` is the command, the address or the prompt."""

    kind: str
    when: str
    what: str


def runs_of(components: Iterable[Component], executables: Iterable[str]) -> list[Run]:
    parts = list(components)
    runs = [
        Run(one(part.kind), _when(part.kind, part.name, part.details), _what(part.details))
        for part in parts
        if part.kind in _RUN
    ]
    of_skills = [run for part in parts for run in _hooks_of_skill(part)]
    on_path = [Run("executable", "on the PATH of commands", str(path)) for path in executables]
    return [*runs, *of_skills, *on_path]


def _hooks_of_skill(part: Component) -> Iterator[Run]:
    """Those of its front matter: they run once it was called."""
    if part.kind in _WITH_HOOKS:
        for hook in part.details.get("hooks", ()):
            when = _when(ComponentKind.HOOK, str(hook.get("event")), hook)
            yield Run("hook", f"{when}, once {part.canonical_id or part.name} was called", _what(hook))


def _when(kind: str, name: str, details: dict[str, Any]) -> str:
    if kind == ComponentKind.HOOK:
        matcher = details.get("matcher")
        return f"at {name} of {matcher}" if matcher else f"at {name}"
    return str(details.get("when") or f"named {name}")


def _what(details: dict[str, Any]) -> str:
    if details.get("command"):
        return " ".join([str(details["command"]), *map(str, details.get("args", ()))])
    return str(details.get("url") or details.get("prompt") or "not known")
