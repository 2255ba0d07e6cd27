"""Each file of an upload is read once before it is parsed: inflating costs more than what is looked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.guardrails import limits
from marketplace.guardrails.archives.source_file import SourceFile
from marketplace.guardrails.checks import refusals_of_file
from marketplace.guardrails.records import Finding, StoredFile
from marketplace.guardrails.subject import file_content


@dataclass(frozen=True, slots=True)
class ReadTree:
    """`unread` are the files beyond `limits.TEXT_CHARACTERS`, in the order of their paths; `refusals` are
    what would have any of the files rejected."""

    files: Mapping[str, StoredFile]
    unread: frozenset[str]
    refusals: tuple[Finding, ...]


def read_tree(sources: Mapping[str, SourceFile]) -> ReadTree:
    files: dict[str, StoredFile] = {}
    unread: set[str] = set()
    refusals: list[Finding] = []
    left = limits.TEXT_CHARACTERS
    for path, source in sorted(sources.items()):
        files[path], characters, findings = _read(path, source)
        refusals += findings
        # Not taken from what is left: smaller files behind it are looked through nevertheless.
        if characters > left:
            unread.add(path)
        else:
            left -= characters
    return ReadTree(files, frozenset(unread), tuple(refusals))


def _read(path: str, source: SourceFile) -> tuple[StoredFile, int, list[Finding]]:
    """With the number of its characters. Its content leaves the memory before that of the next comes."""
    content = source.read()
    looked_at = file_content(path, content)
    return _stored(source, content), len(looked_at.text), list(refusals_of_file(looked_at))


def _stored(source: SourceFile, content: bytes) -> StoredFile:
    # Archives of Windows and folders have no modes; a script that names its interpreter is meant to run.
    executable = source.executable or content.startswith(b"#!")
    return StoredFile(len(content), executable, hashlib.sha256(content).hexdigest(), source.read)
