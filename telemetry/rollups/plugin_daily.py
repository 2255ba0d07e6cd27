from telemetry.models import UsagePluginDaily
from telemetry.rollups.base import FIGURES, IN_RANGE, SELECT_FIGURES, DailyRollup

PLUGIN_DAILY = DailyRollup(
    UsagePluginDaily,
    ("day", "source", "ref_id", *FIGURES),
    f"""
    SELECT {{occurred}}, source, coalesce(ref_id, ''), {SELECT_FIGURES}
    FROM usage_events
    WHERE {IN_RANGE} AND source <> 'builtin'
    GROUP BY 1, 2, 3
    """,
)
