"""Small transcripts for tests: lines are dicts as Claude Code writes them, `transcript_bytes` makes a file.

transcript_bytes([user_line("hi"), assistant_line(tool_use("Bash")), user_line(tool_result("toolu_1"))])
"""

import itertools
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
START = datetime(2026, 5, 1, 10, tzinfo=UTC)

Line = dict[str, Any]
Block = dict[str, Any]

_numbers = itertools.count(1)


def moment(seconds: float = 0) -> str:
    """A timestamp as transcripts have it, so many seconds after START."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(type_: str, **fields: Any) -> Line:
    """A core record; its uuid is new unless given. A field that is given as None is left out."""
    fields = {
        "type": type_,
        "uuid": f"uuid-{next(_numbers)}",
        "parentUuid": None,
        "sessionId": SESSION,
        "timestamp": moment(),
        "version": "2.1.220",
        "cwd": "/work",
        "gitBranch": "main",
        "isSidechain": False,
    } | fields
    return {name: value for name, value in fields.items() if value is not None or name == "parentUuid"}


def user_line(content: str | Block | list[Any] = "Hello", **fields: Any) -> Line:
    return line("user", message={"role": "user", "content": _content(content)}, **fields)


def assistant_line(
    content: str | Block | list[Any] = "Done.",
    *,
    message_id: str | None = None,
    model: str = "claude-test-1",
    usage: dict[str, Any] | None = None,
    **fields: Any,
) -> Line:
    if isinstance(content, str):
        content = {"type": "text", "text": content}
    message = {
        "id": message_id or f"msg_{next(_numbers)}",
        "role": "assistant",
        "model": model,
        "content": _content(content),
        "usage": usage or {"input_tokens": 3, "output_tokens": 5},
    }
    return line("assistant", message=message, **fields)


def tool_use(name: str, id: str | None = None, **tool_input: Any) -> Block:
    return {"type": "tool_use", "id": id or f"toolu_{next(_numbers)}", "name": name, "input": tool_input}


def tool_result(tool_use_id: str, content: Any = "ok", *, is_error: bool | None = None) -> Block:
    block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": content}
    return block if is_error is None else block | {"is_error": is_error}


def command_line(name: str, **fields: Any) -> Line:
    """What a person's slash command looks like."""
    text = f"<command-message>{name}</command-message>\n<command-name>/{name}</command-name>"
    return user_line(text, **fields)


def transcript_bytes(lines: Iterable[Line | bytes | str]) -> bytes:
    """A file of these lines; bytes and texts stand as they are."""
    return b"".join(_encoded(item) + b"\n" for item in lines)


def _encoded(item: Line | bytes | str) -> bytes:
    if isinstance(item, bytes):
        return item
    text = item if isinstance(item, str) else json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _content(content: str | Block | list[Any]) -> Any:
    return [content] if isinstance(content, dict) else content
