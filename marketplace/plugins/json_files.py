"""JSON of unknown origin: decoded as Claude Code would, bounded in depth, and fit for a database."""

import json
from typing import Any, NoReturn

from marketplace.plugins import limits
from marketplace.plugins.errors import PluginError
from marketplace.plugins.text import storable

LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class NotJson(PluginError):
    """The message is the reason, to follow “… is not valid JSON: ”."""


def decode_json(content: bytes) -> Any:
    """The value of a JSON file, BOM allowed. Raises NotJson."""
    if content.startswith(LFS_POINTER):
        raise NotJson("it is a Git LFS pointer, its content is stored elsewhere")
    try:
        value = json.loads(content.decode("utf-8-sig", errors="replace"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    return _fit(value, limits.JSON_DEPTH)


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"it holds {name}")


def _fit(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        # JSON in a database knows no infinity, which 1e999 is.
        return value if abs(value) < float("inf") else None
    if isinstance(value, (list, dict)) and not depth:
        raise NotJson("it is nested too deeply")
    if isinstance(value, list):
        return [_fit(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {storable(key): _fit(item, depth - 1) for key, item in value.items()}
    return value
