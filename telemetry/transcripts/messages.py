"""What an assistant record counts: its message and its tool calls (docs/COUNTING.md sections 5 and 7)."""

from telemetry.transcripts.records import Block, Record
from telemetry.transcripts.values import clean

SYNTHETIC_MODEL = "<synthetic>"


def message_key(record: Record) -> str | None:
    """The key of the message that an assistant record is a piece of; None where it is a piece of none."""
    message = record.message
    if message is None or clean(message.model) == SYNTHETIC_MODEL:
        return None
    return message.id or record.uuid


def tool_call_identity(record: Record, index: int, block: Block) -> str:
    """The identity per person of a tool_use block, which is the record's block number `index`."""
    return block.id or f"{record.uuid}:{index}"
