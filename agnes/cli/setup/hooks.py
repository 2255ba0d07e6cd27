"""The hooks of Claude Code that push: at the end of a session, and at the beginning of the next one, since
nobody is told of the end where Claude Code is killed."""

import os
import re
import shlex
import shutil
from typing import Any

from agnes.cli import program

EVENTS = ("SessionStart", "SessionEnd")
ARGUMENTS = "push --hook"
# For the start of a process that goes on by itself.
SECONDS = 10
# On Windows it may be agnes.EXE.
_OURS = re.compile(r"agnes(?:\.exe|\.cli)?[\"']? push --hook$", re.IGNORECASE)


def command(*, shared: bool) -> str:
    """What a hook runs. In a file that others share it is found by their PATH, and does nothing where they do
    not have it."""
    if shared:
        return f"command -v agnes >/dev/null 2>&1 && agnes {ARGUMENTS} || true"
    found = shutil.which("agnes")
    words = [found] if found else program.COMMAND
    # On Windows Claude Code runs hooks in Git's bash.
    return f"{shlex.join(words).replace(os.sep, '/')} {ARGUMENTS}"


def add(settings: dict[str, Any], command: str) -> None:
    """Beside what is there; another one of ours is replaced. Raises TypeError where the settings are of
    another form than Claude Code's."""
    if are_in(settings, command):
        return
    remove(settings)
    hooks = settings.setdefault("hooks", {})
    for event in EVENTS:
        groups = hooks.setdefault(event, [])
        groups.append({"hooks": [{"type": "command", "command": command, "timeout": SECONDS}]})


def remove(settings: dict[str, Any]) -> None:
    """What is left empty by it goes as well."""
    hooks = _checked(settings.get("hooks", {}), dict)
    for event in list(hooks):
        groups = [
            kept for group in _checked(hooks[event], list) if (kept := _without_ours(group)) is not None
        ]
        if groups:
            hooks[event] = groups
        elif hooks[event]:
            del hooks[event]
    if not hooks and "hooks" in settings:
        del settings["hooks"]


def are_in(settings: dict[str, Any], command: str | None = None) -> bool:
    """Whether all of them are; with this command, where it is given."""
    hooks = settings.get("hooks")
    if not isinstance(hooks, dict):
        return False
    return all(
        isinstance(groups := hooks.get(event), list) and any(_has_ours(group, command) for group in groups)
        for event in EVENTS
    )


def _without_ours(group: Any) -> Any:
    """None where nothing else was in it."""
    if not _has_ours(group):
        return group
    kept = [hook for hook in group["hooks"] if not _is_ours(hook)]
    return {**group, "hooks": kept} if kept else None


def _has_ours(group: Any, command: str | None = None) -> bool:
    hooks = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(hooks, list) and any(
        _is_ours(hook) and command in (None, hook["command"]) for hook in hooks
    )


def _is_ours(hook: Any) -> bool:
    command = hook.get("command") if isinstance(hook, dict) else None
    return isinstance(command, str) and bool(_OURS.search(command.removesuffix(" || true")))


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"hooks are no {kind.__name__}")
    return value
