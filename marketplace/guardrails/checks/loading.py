"""What Claude Code would refuse, and what the parser could not read."""

from collections.abc import Iterator

from marketplace.guardrails.citing import hold, reject
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject
from marketplace.plugins.report import Level

_FIX = "Correct it; `claude plugin validate` tells more."


def check_loading(subject: Subject) -> Iterator[Finding]:
    plugin = subject.plugin
    if plugin.does_not_load is not None:
        yield reject("does_not_load", f"Claude Code does not load it: {plugin.does_not_load}.", _FIX)
    elif not plugin.components and not plugin.has_settings and not plugin.executables:
        cure = "Add a skill, a command, an agent, a hook or a server."
        yield reject("nothing_to_install", "It brings nothing that Claude Code loads.", cure)
    for finding in plugin.findings:
        if finding.level is Level.ERROR and plugin.does_not_load is None:
            yield hold("cannot_be_read", finding.message, _FIX, finding.path)
