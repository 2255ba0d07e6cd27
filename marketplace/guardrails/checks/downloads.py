"""What runs by itself must not run what it downloads."""

from collections.abc import Iterator

from marketplace.guardrails import limits
from marketplace.guardrails.checks.configurations import commands_of
from marketplace.guardrails.checks.inline_shell import DOWNLOAD_CURE, TOO_MUCH_SHELL_CURE
from marketplace.guardrails.checks.shell import downloads_run_in, runs_a_download
from marketplace.guardrails.citing import hold, reject
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject

# Named by commands without being run: texts, and configurations, whose commands are looked at as such.
_NOT_RUN = (".md", ".txt", ".json")


def check_downloads(subject: Subject) -> Iterator[Finding]:
    """Rejected in what runs by itself, and in the scripts that this calls."""
    commands = list(commands_of(subject))
    for path, command in commands:
        if runs_a_download(command):
            yield reject("runs_download", f"It runs what it downloads: {command}", DOWNLOAD_CURE, path)
    yield from _in_scripts(subject, "\n".join(command for _, command in commands))


def _in_scripts(subject: Subject, commands: str) -> Iterator[Finding]:
    """In the files that the commands name, and those that these name."""
    waiting, left = [commands], limits.SHELL_CHARACTERS
    scripts = {path for path in subject.files if not path.lower().endswith(_NOT_RUN)}
    while waiting:
        caller = waiting.pop()
        for path in sorted(path for path in scripts if path.rpartition("/")[2] in caller):
            scripts.remove(path)
            script = _script(subject, path)
            left -= len(script)
            if left < 0:
                text = "With it, what runs by itself has more text than can be looked through."
                yield hold("too_much_shell", text, TOO_MUCH_SHELL_CURE, path)
                return
            yield from _in_script(script, path)
            waiting.append(script)


def _script(subject: Subject, path: str) -> str:
    file = subject.named(path)
    return file.text if file else ""


def _in_script(script: str, path: str) -> Iterator[Finding]:
    for found in downloads_run_in(script):
        text = f"It runs what it downloads: {found.text}"
        line = script.count("\n", 0, found.position) + 1
        yield reject("runs_download", text, DOWNLOAD_CURE, path, line)
        return
