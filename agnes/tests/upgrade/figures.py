"""What of an installation must be the same after an upgrade, in SQL that its oldest version answers, too.

Ids that a rebuild of the figures gives anew are left out, and so is what depends on the day of today.
"""

from collections.abc import Callable, Sequence
from typing import Any

TABLES = {
    "people": "SELECT id, email, is_active, is_staff FROM accounts_user",
    "transcripts": "SELECT session_file, owner_id, session_id, agent_id, revision FROM session_transcripts",
    "parts": "SELECT sha256, raw_bytes, stored_bytes, superseded FROM session_transcript_parts",
    "events": "SELECT id, session_file, event_type, tool_name, error_kind, source, ref_id FROM usage_events",
    "messages": (
        "SELECT user_id, message_id, session_file, model, input_tokens, output_tokens, cache_read_tokens, "
        "cache_creation_tokens FROM usage_messages"
    ),
    "summaries": ("SELECT session_file, tool_calls, user_messages, input_tokens FROM usage_session_summary"),
    "findings": "SELECT session_file, kind, detail, count FROM verification_findings",
    "daily": (
        "SELECT day, people, sessions, messages, prompts, invocations_curated, invocations_flea, "
        "invocations_builtin, errors, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens "
        "FROM usage_daily"
    ),
    "tool_daily": "SELECT day, tool_name, source, invocations, distinct_users FROM usage_tool_daily",
    "plugin_daily": "SELECT day, source, ref_id, invocations, distinct_users FROM usage_plugin_daily",
    "user_daily": "SELECT day, user_id, tool_name, source, ref_id, invocations FROM usage_user_daily",
    "plugins": "SELECT ref_id, name, digest FROM marketplace_plugins",
    "skills": "SELECT source, ref_id, identifier, canonical_name FROM usage_attribution_skills",
    "audit rows": "SELECT id, actor, action, target, client_kind FROM audit_log",
}
Figures = dict[str, list[list[str]]]


def figures_of(fetch: Callable[[str], Sequence[Sequence[Any]]]) -> Figures:
    """All as text, which is the same from every database."""
    return {name: sorted([*map(_text, row)] for row in fetch(query)) for name, query in TABLES.items()}


def _text(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value))
    # Ids and days have none in one database, and some in the other.
    return str(value).replace("-", "")
