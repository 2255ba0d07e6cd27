"""How much each item was used lately. Made from usage_user_daily, so that it agrees with the days."""

from datetime import date, timedelta

from telemetry.database.bulk import db_now, execute
from telemetry.models import UsagePluginWindow

DAYS = {UsagePluginWindow.Period.WEEK: 7, UsagePluginWindow.Period.MONTH: 30}

_INSERT = """
INSERT INTO usage_plugin_window
    (period, source, ref_id, invocations, distinct_users, previous_invocations, refreshed_at)
SELECT %(period)s, source, ref_id,
    coalesce(sum(invocations) FILTER (WHERE day >= %(first)s), 0),
    count(DISTINCT user_id) FILTER (WHERE day >= %(first)s),
    coalesce(sum(invocations) FILTER (WHERE day < %(first)s), 0),
    %(now)s
FROM usage_user_daily
WHERE day BETWEEN %(previous)s AND %(today)s AND source <> 'builtin' AND invocations > 0
GROUP BY source, ref_id
"""


def rebuild(today: date) -> None:
    """The windows that end with this day. Call it in a transaction."""
    execute("DELETE FROM usage_plugin_window")
    for period, length in DAYS.items():
        days = {
            "first": today - timedelta(days=length - 1),
            "previous": today - timedelta(days=2 * length - 1),
            "today": today,
        }
        values = {name: str(day) for name, day in days.items()}
        execute(_INSERT, {**values, "period": period.value, "now": db_now()})


def reaches(day: date, today: date) -> bool:
    """Whether a figure of the windows that end with `today` depends on this day."""
    return timedelta(0) <= today - day < timedelta(days=2 * max(DAYS.values()))
