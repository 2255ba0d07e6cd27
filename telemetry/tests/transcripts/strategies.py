"""JSON of any shape, with the keys that transcripts have: what no reader may stumble over."""

import typing
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from telemetry.transcripts.records import Attachment, Block, Message, Origin, Record, ToolInput, Usage

TEXTS = st.sampled_from(
    [
        "", "u1", "u2", "m1", "t1", "sdk-cli", "human", "/review", "<command-name>x",
        "\ud800", "\0", "x" * 300,
        "user", "assistant", "system", "attachment", "progress", "text", "tool_use", "tool_result", "prompt",
        "local_command", "queued_command", "2026-05-01T10:00:00Z", "Skill", "Agent", "mcp__a__b",
        "<synthetic>", "Exit code 1",
    ]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 10**12, 10**30, -(10**4000), 0.0, 1.5, 1e300]),
    TEXTS,
)
KEYS = sorted(
    {
        name
        for struct in (Attachment, Block, Message, Origin, Record, ToolInput, Usage)
        for name in struct.__struct_fields__
    }
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "other"]), inner),
    max_leaves=12,
)


def _objects(struct: Any, **well_typed: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    """Objects with some keys of a struct: most values as they should be, some not."""
    values = {
        name: st.one_of(well_typed.get(name, SCALARS), well_typed.get(name, SCALARS), ANY_JSON)
        for name in struct.__struct_fields__
    }
    return st.fixed_dictionaries({}, optional={**values, "other": ANY_JSON})


_ORIGIN = _objects(Origin)
_BLOCK = _objects(Block, input=_objects(ToolInput), content=ANY_JSON)
_MESSAGE = _objects(Message, content=TEXTS | st.lists(_BLOCK | SCALARS, max_size=4), usage=_objects(Usage))
RECORD_OBJECTS: SearchStrategy[dict[str, Any]] = _objects(
    Record, message=_MESSAGE, origin=_ORIGIN, attachment=_objects(Attachment, origin=_ORIGIN)
)


def _core(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "assistant", "uuid": "u1", "sessionId": "s1"} | fields


# Half of them complete enough to be counted.
LINES = typing.cast("SearchStrategy[dict[str, Any]]", RECORD_OBJECTS | RECORD_OBJECTS.map(_core))
