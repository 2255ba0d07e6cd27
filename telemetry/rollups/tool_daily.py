from telemetry.models import UsageToolDaily
from telemetry.rollups.base import FIGURES, IN_RANGE, SELECT_FIGURES, DailyRollup

TOOL_DAILY = DailyRollup(
    UsageToolDaily,
    ("day", "tool_name", "source", *FIGURES),
    f"""
    SELECT {{occurred}}, tool_name, source, {SELECT_FIGURES}
    FROM usage_events
    WHERE {IN_RANGE} AND tool_name IS NOT NULL
    GROUP BY 1, 2, 3
    """,
)
