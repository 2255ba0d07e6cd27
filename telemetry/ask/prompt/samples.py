"""Sample rows for a model: invented ones, or real ones without what names people and places."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from telemetry.ask.prompt.notes import VIEWS
from telemetry.ask.running import run_statement

Rows = dict[str, list[dict[str, Any]]]
ROWS = 3
VALUES = 50
VALUE_CHARACTERS = 64
DROPPED = ("session_file", "git_branch")
SHORTENED = ("id", "session_id", "agent_id", "event_uuid", "parent_uuid", "message_id")
# /home/ann and C:\\Users\\ann, and those of other systems inside this one.
HOME_DEPTH = 2
HOMES = ("home", "users")
_SEPARATORS = re.compile(r"[/\\]+")
_ADDRESS = re.compile(r"[^\s@/\\]+@[^\s@/\\]+")
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:home|Users|root|srv|var|tmp|mnt|opt)[/\\]\S*", re.IGNORECASE)
IDENTIFIERS = {
    "usage_events": ("tool_name", "skill_name", "subagent_type", "command_name", "model"),
    "usage_plugin_daily": ("ref_id",),
    "usage_component_daily": ("component_name",),
}

INVENTED: Rows = {
    "usage_events": [
        {"username": "ann@example.com", "event_type": "tool_use", "tool_name": "Bash", "is_error": False,
         "source": "builtin", "model": "claude-sonnet-4-5", "cwd": "/home/ann/shop",
         "occurred_at": "2026-05-04T09:12:31.004Z"},
        {"username": "ben@example.com", "event_type": "tool_use", "tool_name": "Skill",
         "skill_name": "tools:pdf", "is_error": None, "source": "curated", "ref_id": "market/tools",
         "component_kind": "skill", "component_name": "tools:pdf", "occurred_at": "2026-05-04T10:01:00Z"},
        {"username": "ann@example.com", "event_type": "slash_command", "command_name": "tools:check",
         "is_builtin": False, "source": "curated", "ref_id": "market/tools", "component_kind": "command",
         "component_name": "tools:check", "occurred_at": "2026-05-05T07:40:12Z"},
    ],
    "usage_plugin_daily": [
        {"day": "2026-05-04", "source": "curated", "ref_id": "market/tools", "invocations": 12,
         "error_count": 1, "distinct_users": 3, "distinct_sessions": 5},
    ],
}  # fmt: skip


def real_samples() -> Rows:
    """Some rows of each view, redacted. Raises what run_statement does."""
    parts = [f"SELECT '{view}', to_json(x)::VARCHAR FROM (FROM {view} LIMIT {ROWS}) x" for view in VIEWS]
    samples: Rows = {view: [] for view in VIEWS}
    people: dict[str, int] = {}
    for view, text in run_statement(" UNION ALL ".join(parts)).rows:
        samples[view].append(redacted(json.loads(text), people))
    return samples


def real_values() -> dict[str, list[str]]:
    """The most frequent identifiers, by column. Raises what run_statement does."""
    parts = [
        f"SELECT '{column}', v FROM (SELECT {column} AS v, count(*) AS n FROM {view} "
        f"WHERE {column} IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {VALUES})"
        for view, columns in IDENTIFIERS.items()
        for column in columns
    ]
    values: dict[str, list[str]] = {}
    for column, value in run_statement(" UNION ALL ".join(parts)).rows:
        values.setdefault(column, []).append(_plain(str(value)))
    return values


def redacted(row: Mapping[str, Any], people: dict[str, int]) -> dict[str, Any]:
    return {name: _told(name, value, people) for name, value in row.items() if name not in DROPPED}


def _told(name: str, value: Any, people: dict[str, int]) -> Any:
    if not isinstance(value, str):
        return None if name == "user_id" else value
    if name == "username":
        return f"user{people.setdefault(value, len(people) + 1)}@example"
    if name == "cwd":
        return project_folder(value)
    if name in SHORTENED:
        return f"{value[:4]}…" if value else value
    return _plain(value)


def project_folder(path: str) -> str:
    """Its last part, unless that may be a person's name: what lies in /home, say."""
    parts = [part for part in _SEPARATORS.split(path) if part and not part.endswith(":")]
    if len(parts) <= HOME_DEPTH or parts[-2].casefold() in HOMES:
        return "/home/user1"
    return f"/home/user1/.../{_plain(parts[-1])}"


def _plain(text: str) -> str:
    """One short line without control characters, addresses and folders."""
    kept = "".join(character for character in text if unicodedata.category(character)[0] != "C")
    return _PATH.sub("/…", _ADDRESS.sub("user@example", kept))[:VALUE_CHARACTERS]
