"""How a tool call ended (docs/COUNTING.md section 6)."""

from typing import NamedTuple

from telemetry.transcripts.records import Block, Record, plain, text_of

_REJECTED_STARTS = (
    "The user doesn't want to",
    "[Request interrupted",
    "Permission to use ",
    "Permission for this action was denied",
    "Claude requested permissions to ",
)


class CallResult(NamedTuple):
    """`error_kind` is 'none' unless the result's is_error is true."""

    error_kind: str
    agent_not_found: bool = False


SUCCESS = CallResult("none")


def call_result(record: Record, block: Block) -> CallResult:
    """What a tool_result block on a user record says of its call."""
    if block.is_error is not True:
        return SUCCESS
    text = text_of(plain(block.content)).lstrip()
    agent_not_found = (
        text.removeprefix("<tool_use_error>").startswith("Agent type '") and "' not found" in text
    )
    return CallResult(_error_kind(record, text), agent_not_found)


def _error_kind(record: Record, text: str) -> str:
    if text.startswith(_REJECTED_STARTS) or record.toolDenialKind:
        return "rejected"
    if text.startswith("<tool_use_error>Cancelled") or "Sibling tool call errored" in text:
        return "cancelled"
    if text.startswith("Exit code"):
        return "exit_code"
    if text.startswith("<tool_use_error>"):
        return "tool_error"
    return "other"
