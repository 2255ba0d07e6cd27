"""What an item runs on one's machine by itself, beside what Claude decides to run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from marketplace.items.details import UsedComponent
from marketplace.pages.kinds import one
from marketplace.plugins.records import ComponentKind

_RUN = {ComponentKind.MCP_SERVER, ComponentKind.LSP_SERVER, ComponentKind.HOOK, ComponentKind.MONITOR}


@dataclass(frozen=True)
class Run:
    """`what` is the command, the address or the prompt."""

    kind: str
    when: str
    what: str


def runs_of(components: Iterable[UsedComponent], executables: Iterable[str]) -> list[Run]:
    runs = [
        Run(one(kind), _when(kind, it.component.name, it.component.details), _what(it.component.details))
        for it in components
        if (kind := it.component.kind) in _RUN
    ]
    return [*runs, *(Run("executable", "on the PATH of commands", str(path)) for path in executables)]


def _when(kind: str, name: str, details: dict[str, Any]) -> str:
    if kind == ComponentKind.HOOK:
        matcher = details.get("matcher")
        return f"at {name} of {matcher}" if matcher else f"at {name}"
    return str(details.get("when") or f"named {name}")


def _what(details: dict[str, Any]) -> str:
    if details.get("command"):
        return " ".join([str(details["command"]), *map(str, details.get("args", ()))])
    return str(details.get("url") or details.get("prompt") or "not known")
