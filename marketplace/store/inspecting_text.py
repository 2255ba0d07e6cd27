"""A text that stands in place of one in the files: through the same checks."""

import json
from collections.abc import Iterator
from itertools import chain

from marketplace.guardrails import Finding, Kind, KnownNames
from marketplace.guardrails.checks.injection import check_injection
from marketplace.guardrails.checks.invisible_text import check_escaped_text
from marketplace.guardrails.checks.secrets import check_secrets
from marketplace.guardrails.subject import FileContent, Subject
from marketplace.plugins import parse_plugin
from marketplace.plugins.manifest import MANIFEST
from marketplace.plugins.trees.memory_tree import MemoryTree


def inspect_text(text: str) -> Iterator[Finding]:
    """What would have an upload held, or rejected, that describes itself like this."""
    manifest = json.dumps({"name": "described", "description": text}).encode()
    record = parse_plugin(MemoryTree({MANIFEST: manifest}), "described")
    subject = Subject(Kind.PLUGIN, "described", record, {}, KnownNames())
    secrets = check_secrets(FileContent("", b"", text))
    return chain(check_escaped_text(subject), check_injection(subject), secrets)
