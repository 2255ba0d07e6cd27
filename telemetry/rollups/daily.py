from telemetry.models import UsageDaily
from telemetry.rollups.base import IN_RANGE, IS_ERROR, STARTED_IN_RANGE, TOKENS, DailyRollup

_COUNTS = ("people", "sessions", "messages", "prompts")
_INVOCATIONS = ("invocations_curated", "invocations_flea", "invocations_builtin", "errors")
_FIGURES = (*_COUNTS, *_INVOCATIONS, *TOKENS)

# Active on a day is who has an event or a message on it, or a session that started on it. Prompts are known
# by session only: they count on the day on which their session started.
DAILY = DailyRollup(
    UsageDaily,
    ("day", *_FIGURES),
    f"""
    WITH active AS (
        SELECT {{occurred}} AS day, user_id, session_id FROM usage_events WHERE {IN_RANGE}
        UNION
        SELECT speaking.day, speaking.user_id, summary.session_id
        FROM (
            SELECT DISTINCT {{occurred}} AS day, user_id, session_file FROM usage_messages WHERE {IN_RANGE}
        ) AS speaking
        LEFT JOIN usage_session_summary AS summary ON summary.session_file = speaking.session_file
        UNION
        SELECT {{started}}, user_id, session_id FROM usage_session_summary WHERE {STARTED_IN_RANGE}
    )
    SELECT day, {", ".join(f"sum({name})" for name in _FIGURES)}
    FROM (
        SELECT day, count(DISTINCT user_id) AS people, count(DISTINCT session_id) AS sessions,
            {", ".join(f"0 AS {name}" for name in _FIGURES[2:])}
        FROM active
        GROUP BY 1
        UNION ALL
        SELECT {{occurred}}, 0, 0, 0, 0,
            count(*) FILTER (WHERE source = 'curated'),
            count(*) FILTER (WHERE source = 'flea'),
            count(*) FILTER (WHERE source = 'builtin'),
            count(*) FILTER (WHERE {IS_ERROR}),
            0, 0, 0, 0
        FROM usage_events
        WHERE {IN_RANGE}
        GROUP BY 1
        UNION ALL
        SELECT {{occurred}}, 0, 0, count(*), 0, 0, 0, 0, 0, {", ".join(f"sum({name})" for name in TOKENS)}
        FROM usage_messages
        WHERE {IN_RANGE}
        GROUP BY 1
        UNION ALL
        SELECT {{started}}, 0, 0, 0, sum(user_messages), 0, 0, 0, 0, 0, 0, 0, 0
        FROM usage_session_summary
        WHERE {STARTED_IN_RANGE}
        GROUP BY 1
    ) AS parts
    GROUP BY day
    """,
)
