from telemetry.models import UsageUserDaily
from telemetry.rollups.base import IN_RANGE, IS_ERROR, TOKENS, DailyRollup

_KEY = ("day", "user_id", "tool_name", "source", "ref_id")
_SUMS = ", ".join(f"sum({name})" for name in TOKENS)

# A message has no tool: its tokens stand in a row with tool_name ''.
USER_DAILY = DailyRollup(
    UsageUserDaily,
    (*_KEY, "invocations", "error_count", *TOKENS),
    f"""
    SELECT {", ".join(_KEY)}, sum(invocations), sum(error_count), {_SUMS}
    FROM (
        SELECT {{occurred}} AS day, user_id, coalesce(tool_name, '') AS tool_name, source,
            coalesce(ref_id, '') AS ref_id, count(*) AS invocations,
            count(*) FILTER (WHERE {IS_ERROR}) AS error_count, {", ".join(f"0 AS {name}" for name in TOKENS)}
        FROM usage_events
        WHERE {IN_RANGE}
        GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT {{occurred}}, user_id, '', source, coalesce(ref_id, ''), 0, 0, {_SUMS}
        FROM usage_messages
        WHERE {IN_RANGE}
        GROUP BY 1, 2, 3, 4, 5
    ) AS parts
    GROUP BY {", ".join(_KEY)}
    """,
)
