"""What a plugin runs by itself: hooks, servers, monitors, settings. Shown in full, not judged."""

import re
from collections.abc import Iterator

from marketplace.guardrails.checks.configurations import (
    SETTINGS,
    commands_of,
    configuration,
    configurations_of,
)
from marketplace.guardrails.citing import hold, show
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject, objects_in
from marketplace.plugins import limits as plugin_limits
from marketplace.plugins.front_matter import split_front_matter
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.values import as_object

_SEE = "Nothing to change; its page says so, for others to know."
_PINNED = re.compile(r".[^@]*@\d[\w.+-]*|.*==[\w.]+|.*@sha256:.*|\.{0,2}/.*|\$\{.*")
_RUNNERS = {
    "npx": (),
    "bunx": (),
    "uvx": (),
    "pipx": ("run",),
    "pnpx": (),
    "pnpm": ("dlx",),
    "yarn": ("dlx",),
    "npm": ("exec", "x"),
    "uv": ("run", "tool"),
}
_CONTAINERS = ("docker", "podman")
_OPTIONS_WITH_VALUE = ("-p", "--package", "--from", "--with", "--python")
_ASKED_OF_AGENTS = ("permissionMode", "hooks", "mcpServers")


def check_powers(subject: Subject) -> Iterator[Finding]:
    for component in subject.plugin.components or ():
        yield from _of_component(component)
    yield from _helpers(subject)
    yield from _agents(subject)
    yield from _settings(subject)


def _of_component(component: Component) -> Iterator[Finding]:
    details = component.details
    match component.kind:
        case ComponentKind.HOOK:
            yield _show("hook", f"Runs on {component.name}: {component.description}", component)
        case ComponentKind.MONITOR:
            yield _show("monitor", f"Keeps running: {details.get('command', '')}", component)
        case ComponentKind.MCP_SERVER | ComponentKind.LSP_SERVER:
            yield from _server(component)
        case _:
            for handler in details.get("hooks", []):
                text = f"Runs on {handler.get('event')}: {handler.get('command') or handler.get('url', '')}"
                yield _show("hook", text, component)


def _show(code: str, text: str, component: Component) -> Finding:
    return show(code, text, _SEE, component.path)


def _server(component: Component) -> Iterator[Finding]:
    details = component.details
    words = [str(details.get("command", "")), *map(str, details.get("args", []))]
    what = f"talks to {details['url']}" if details.get("url") else f"starts {' '.join(words)}"
    yield _show("server", f"The server {component.name} {what}", component)
    if package := unpinned_package(words):
        text = f"The server {component.name} runs whatever {package} is on that day."
        yield show(
            "unpinned", text, f"Name the version: {package.partition('@latest')[0]}@1.2.3.", component.path
        )


def unpinned_package(words: list[str]) -> str | None:
    """The package or image that a runner such as npx would fetch, if no version of it is named."""
    runner, *rest = _unwrapped(words) or [""]
    runner = runner.rpartition("/")[2].removesuffix(".cmd")
    if runner in _CONTAINERS:
        return next((word for word in rest if word.endswith(":latest")), None)
    verbs = _RUNNERS.get(runner)
    if verbs is None or (verbs and rest[:1] not in [[verb] for verb in verbs]):
        return None
    rest = rest[1:] if verbs else rest
    rest = rest[1:] if rest[:1] == ["run"] and runner == "uv" else rest
    named = [rest[at + 1] for at, word in enumerate(rest[:-1]) if word in _OPTIONS_WITH_VALUE]
    package = next(iter(named), None) or next((word for word in rest if not word.startswith("-")), "")
    is_local = package.endswith((".py", ".js")) or _PINNED.fullmatch(package)
    return package if package and not is_local else None


def _unwrapped(words: list[str]) -> list[str]:
    """Without a shell around them: `cmd /c npx …`, `sh -c "npx …"`."""
    if len(words) > 2 and words[1].lower() in ("/c", "-c", "-lc"):
        return words[2:] if words[1].lower() == "/c" else words[2].split()
    return words


def _helpers(subject: Subject) -> Iterator[Finding]:
    """Commands that make the headers of a server, which the parser does not keep."""
    for path in configurations_of(subject):
        for item in objects_in(configuration(subject, path)):
            if "headersHelper" in item:
                yield show("headers_helper", f"Headers are made by: {item['headersHelper']}", _SEE, path)


def _agents(subject: Subject) -> Iterator[Finding]:
    for component in subject.plugin.components or ():
        file = subject.named(component.path) if component.kind is ComponentKind.AGENT else None
        if file is None:
            continue
        values = split_front_matter(file.text).values
        for key in _ASKED_OF_AGENTS:
            if key in values:
                text = f"The agent asks for {key}, which Claude Code ignores in plugins: {values[key]}"
                yield show("agent_asks", text, f"Leave {key} out.", component.path)


def _settings(subject: Subject) -> Iterator[Finding]:
    file = subject.named(SETTINGS)
    if file is not None:
        yield show("settings", f"It brings settings: {file.text}", _SEE, SETTINGS)
    manifest = as_object(subject.plugin.manifest)
    for key in ("settings", "channels"):
        if manifest.get(key):
            yield show("settings", f"It brings {key}: {manifest[key]}", _SEE, MANIFEST)


def check_what_is_shown(subject: Subject) -> Iterator[Finding]:
    """More than the parser lists: what would not be shown must not be let through unseen."""
    for path, command in commands_of(subject):
        if len(command) >= plugin_limits.DESCRIPTION_CHARACTERS:
            cure = "Put it into a script and call that."
            yield hold("too_long_to_show", f"A command of {len(command)} characters: {command}", cure, path)
    hooks = sum(part.kind is ComponentKind.HOOK for part in subject.plugin.components or ())
    if hooks >= plugin_limits.LIST_ITEMS:
        yield hold("too_long_to_show", f"It has {hooks} hooks or more.", "Leave most of them out.")
