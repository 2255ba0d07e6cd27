from telemetry.models import UsageComponentDaily
from telemetry.rollups.base import FIGURES, IN_RANGE, SELECT_FIGURES, DailyRollup

COMPONENT_DAILY = DailyRollup(
    UsageComponentDaily,
    ("day", "source", "ref_id", "component_kind", "component_name", *FIGURES),
    f"""
    SELECT {{occurred}}, source, coalesce(ref_id, ''), coalesce(component_kind, ''),
        coalesce(component_name, ''), {SELECT_FIGURES}
    FROM usage_events
    WHERE {IN_RANGE} AND source <> 'builtin'
    GROUP BY 1, 2, 3, 4, 5
    """,
)
