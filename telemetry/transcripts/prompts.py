"""Who wrote a user record: its class, and the command it holds (docs/COUNTING.md section 4)."""

import re
from enum import Enum, auto

from msgspec import UNSET

from telemetry.transcripts.records import Record
from telemetry.transcripts.values import bare

SKILL_BODY = "Base directory for this skill"


class UserClass(Enum):
    TOOL_RESULT = auto()
    BY_AGENT = auto()
    SUMMARY = auto()
    INJECTED = auto()
    COMMAND = auto()
    OUTPUT = auto()
    SHELL = auto()
    INTERRUPTION = auto()
    NOTIFICATION = auto()
    PEER = auto()
    PLAN = auto()
    EMPTY = auto()
    PROGRAMMATIC_PROMPT = auto()
    HUMAN_PROMPT = auto()


_HARNESS_TAG = re.compile("<(ide_opened_file|ide_selection|system-reminder)>")
_COMMAND = re.compile(r"(?:<command-message>[^<]*</command-message>\s*)?<command-name>([^<]*)")
_COMMAND_STARTS = ("<command-name>", "<command-message>")
_OUTPUT_STARTS = ("<local-command-stdout>", "<local-command-stderr>", "<local-command-caveat>")
_SHELL_STARTS = ("<bash-input>", "<bash-stdout>", "<bash-stderr>")
_PEER_STARTS = ("<teammate-message", "Another Claude session sent a message")
_INJECTED_STARTS = ("Operation stopped by hook", "<scheduled-task", "<ci-monitor-event")


def classify(record: Record, *, main_thread: bool) -> UserClass:
    """The class of a user record. The first test that holds decides."""
    if any(block.type == "tool_result" for block in record.blocks):
        return UserClass.TOOL_RESULT
    if not main_thread:
        return UserClass.BY_AGENT
    if record.isCompactSummary is True:
        return UserClass.SUMMARY
    if record.isMeta is True:
        return UserClass.INJECTED
    return _class_by_text(record, spoken_text(record.text))


def _class_by_text(record: Record, text: str) -> UserClass:
    origin = record.origin.kind if record.origin else None
    if text.startswith(_COMMAND_STARTS):
        return UserClass.COMMAND
    if text.startswith(_OUTPUT_STARTS):
        return UserClass.OUTPUT
    if text.startswith(_SHELL_STARTS):
        return UserClass.SHELL
    if text.startswith("[Request interrupted by user"):
        return UserClass.INTERRUPTION
    if text.startswith("<task-notification>") or origin == "task-notification":
        return UserClass.NOTIFICATION
    if text.startswith(_PEER_STARTS) or origin == "peer":
        return UserClass.PEER
    if text.startswith("Implement the following plan:") or record.planContent is not UNSET:
        return UserClass.PLAN
    if text.startswith(_INJECTED_STARTS) or record.promptSource == "system":
        return UserClass.INJECTED
    if not text and not any(block.type in ("image", "document") for block in record.blocks):
        return UserClass.EMPTY
    return UserClass.PROGRAMMATIC_PROMPT if is_programmatic(record) else UserClass.HUMAN_PROMPT


def is_programmatic(record: Record) -> bool:
    origin = record.origin.kind if record.origin else None
    from_sdk = record.promptSource == "sdk" and origin != "human"
    return from_sdk or (record.entrypoint or "").startswith("sdk-")


def is_steering_prompt(record: Record) -> bool:
    """Whether an attachment record of the main thread is a prompt typed while Claude was at work."""
    attachment = record.attachment
    if attachment is None or attachment.type != "queued_command" or attachment.commandMode != "prompt":
        return False
    origin = attachment.origin.kind if attachment.origin else None
    return attachment.isMeta is not True and origin in (None, "human")


def command_name(text: str) -> str:
    """The name of the command that a text begins with, or '' where it begins with none."""
    match = _COMMAND.match(text)
    return bare(match[1]) if match else ""


def spoken_text(text: str) -> str:
    """A text without what the harness put into it (`<system-reminder>` ... and the like), trimmed."""
    if "<ide_" not in text and "<system-reminder>" not in text:
        return text.strip()
    kept: list[str] = []
    unclosed: set[str] = set()
    position = 0
    for opening in _HARNESS_TAG.finditer(text):
        tag = opening[1]
        if opening.start() < position or tag in unclosed:
            continue
        closing = text.find(f"</{tag}>", opening.end())
        if closing < 0:
            # Looking again after the next opening tag would make hostile texts cost their length squared.
            unclosed.add(tag)
            continue
        kept.append(text[position : opening.start()])
        position = closing + len(f"</{tag}>")
    kept.append(text[position:])
    return "".join(kept).strip()
