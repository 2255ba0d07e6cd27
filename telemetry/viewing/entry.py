"""One thing that a transcript says, as pages show it."""

from dataclasses import dataclass, field
from enum import StrEnum

from telemetry.viewing.wording import shortened

# Of a title, and of what stands beside it.
HEAD_CHARACTERS = 300


class Kind(StrEnum):
    PROMPT = "prompt"
    COMMAND = "command"
    SHELL = "shell"
    OUTPUT = "output"
    ANSWER = "answer"
    THINKING = "thinking"
    CALL = "call"
    RESULT = "result"
    INTERRUPTION = "interruption"
    COMPACTION = "compaction"
    SUMMARY = "summary"
    MESSAGE = "message"
    INJECTED = "injected"
    SYSTEM = "system"
    ERROR = "error"
    UNKNOWN = "unknown"
    BROKEN = "broken"


MARKDOWN_KINDS = frozenset({Kind.ANSWER, Kind.SUMMARY})


@dataclass
class Entry:
    """One thing that stands on the page. `position` numbers the entries of a line, from 0.

    Only calls have a `result`, only calls and results a `call_id`; `error_kind` is that of
    docs/COUNTING.md section 6, `agent_id` names the transcript of the subagent that a call started.
    """

    kind: Kind
    title: str
    text: str = ""
    about: str = ""
    notes: list[str] = field(default_factory=list)
    line: int = 0
    position: int = 0
    at_ms: int | None = None
    in_sidechain: bool = False
    call_id: str = ""
    result: "Entry | None" = None
    error_kind: str = "none"
    agent_id: str = ""
    is_cut: bool = False

    def cut(self, length: int) -> None:
        """Keep the beginning of each text: any of them may be many megabytes."""
        self.title = shortened(self.title, HEAD_CHARACTERS)
        self.about = shortened(self.about, HEAD_CHARACTERS)
        if len(self.text) > length:
            self.text, self.is_cut = self.text[:length], True
