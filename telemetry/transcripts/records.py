"""The fields of a transcript line that figures depend on, as msgspec structs.

Decoding into these types skips everything else without building it. A field that has another type than
the one here counts as absent: `lenient_record` builds the same structs from a line that msgspec refuses.
"""

import json
import types
import typing
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

CORE_TYPES = frozenset({"user", "assistant", "system", "attachment"})
MAX_DIGITS = 4000


class Usage(Struct, gc=False):
    """Token counts as written; `values.token_count` decides what they are worth."""

    input_tokens: Any = 0
    output_tokens: Any = 0
    cache_creation_input_tokens: Any = 0
    cache_read_input_tokens: Any = 0


class ToolInput(Struct, gc=False):
    """What an event takes from the input of a tool call; values may have any type."""

    skill: Any = None
    command: Any = None
    name: Any = None
    subagent_type: Any = None


class Block(Struct, gc=False):
    """One block of a message's content. `content` is that of a tool result, decoded only on demand."""

    type: str | None = None
    id: str | None = None
    name: str | None = None
    input: ToolInput | None = None
    text: str | None = None
    tool_use_id: str | None = None
    content: Raw = Raw(b"null")
    is_error: bool | None = None


class Message(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: str | list[Block] | None = None
    usage: Usage | None = None


class Origin(Struct, gc=False):
    kind: str | None = None


class Attachment(Struct, gc=False):
    type: str | None = None
    commandMode: str | None = None
    isMeta: bool | None = None
    origin: Origin | None = None


class Record(Struct, gc=False):
    """One JSON object of a transcript. Names are those of the file."""

    type: str | None = None
    uuid: str | None = None
    parentUuid: str | None = None
    sessionId: str | None = None
    session_id: str | None = None
    agentId: str | None = None
    timestamp: str | None = None
    isSidechain: bool | None = None
    isMeta: bool | None = None
    isCompactSummary: bool | None = None
    isApiErrorMessage: bool | None = None
    cwd: str | None = None
    gitBranch: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    promptSource: str | None = None
    origin: Origin | None = None
    planContent: Any | UnsetType = UNSET
    subtype: str | None = None
    content: Any = None
    attachment: Attachment | None = None
    toolDenialKind: str | None = None
    sourceToolUseID: str | None = None
    attributionSkill: str | None = None
    message: Message | None = None

    @property
    def is_core(self) -> bool:
        return self.type in CORE_TYPES and bool(self.uuid) and bool(self.sessionId)

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the message's content; none where it is a text."""
        content = self.message.content if self.message else None
        return content if isinstance(content, list) else []

    @property
    def text(self) -> str:
        """The text of the message's content (docs/COUNTING.md section 2)."""
        content = self.message.content if self.message else None
        if isinstance(content, str):
            return content
        return "\n".join(
            block.text for block in content or () if block.type == "text" and block.text is not None
        )


def _integer(digits: str) -> float:
    """Python refuses integers of more than 4300 digits; none so long is worth anything here."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# What msgspec refuses and is JSON all the same: odd types, lone surrogates, bytes that are not UTF-8, ...
STRICT_JSON = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse_constant)

decode_record = msgspec.json.Decoder(Record).decode


def lenient_record(value: Mapping[str, Any]) -> Record:
    """The record of a JSON object of any shape."""
    return _lenient(Record, value)


def plain(content: Raw | Any) -> Any:
    """The JSON value of a block's content. A lenient record holds the value itself in place of its bytes."""
    if not isinstance(content, Raw):
        return content
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    # msgspec skips over bytes that are not UTF-8 and over huge integers, but does not decode them.
    try:
        return STRICT_JSON.decode(bytes(content).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def text_of(content: Any) -> str:
    """The text of a JSON content: itself, or its text blocks joined by newlines."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (
        block.get("text") for block in content if isinstance(block, dict) and block.get("type") == "text"
    )
    return "\n".join(text for text in texts if isinstance(text, str))


StructType = typing.TypeVar("StructType", bound=Struct)


def _lenient(struct: type[StructType], value: Mapping[str, Any]) -> StructType:
    fitted = {
        name: _fit(accepted, value[name])
        for name, accepted in _accepted_types(struct).items()
        if name in value
    }
    return struct(**fitted)


def _fit(accepted: tuple[Any, ...], value: Any) -> Any:
    """The value if its type is one of those accepted, a struct made of it, or None."""
    if Any in accepted or Raw in accepted:
        return value
    for candidate in accepted:
        if typing.get_origin(candidate) is list:
            if isinstance(value, list):
                # A block that is no object keeps its place, since blocks are counted by position.
                return [_lenient(Block, item) if isinstance(item, dict) else Block() for item in value]
        elif issubclass(candidate, Struct):
            if isinstance(value, dict):
                return _lenient(candidate, value)
        elif type(value) is candidate:
            return value
    return None


def _accepted_types(struct: type[Struct]) -> dict[str, tuple[Any, ...]]:
    accepted = _ACCEPTED.get(struct)
    if accepted is None:
        hints = typing.get_type_hints(struct)
        accepted = _ACCEPTED[struct] = {name: _members(hints[name]) for name in struct.__struct_fields__}
    return accepted


def _members(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return typing.get_args(hint)
    return (hint,)


_ACCEPTED: dict[type[Struct], dict[str, tuple[Any, ...]]] = {}
