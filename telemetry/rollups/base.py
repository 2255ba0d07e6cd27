"""A table with rows by day, made from the rows of the day by one statement.

What takes long, making them, is done before anything is locked: into a temporary table of the connection.
"""

from dataclasses import dataclass

from django.db import connection, models

from telemetry.database.bulk import execute, fetch
from telemetry.days import DayRange

# The condition for rows of usage_events and usage_messages. Ids begin with the time, so the primary key finds
# them; only those without a time need another look, since theirs begin as those of 1970-01-01 do.
IN_RANGE = "id >= %(first_id)s AND id < %(end_id)s AND occurred_at IS NOT NULL"
STARTED_IN_RANGE = "started_at BETWEEN %(first_moment)s AND %(last_moment)s"
# An event that counts as an error: the person neither refused nor cancelled it.
IS_ERROR = "error_kind IN ('exit_code', 'tool_error', 'other')"
# The figures that most tables have of their events.
FIGURES = ("invocations", "error_count", "distinct_users", "distinct_sessions")
SELECT_FIGURES = f"""
    count(*), count(*) FILTER (WHERE {IS_ERROR}), count(DISTINCT user_id), count(DISTINCT session_id)
"""
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")


@dataclass(frozen=True)
class DailyRollup:
    """`select` gives the table's `columns` for a range of days: `{occurred}` and `{started}` stand for the
    day on which a row lies, and it says IN_RANGE or STARTED_IN_RANGE wherever it reads."""

    model: type[models.Model]
    columns: tuple[str, ...]
    select: str

    def clear(self) -> None:
        """Have the temporary table, with nothing in it."""
        like = f"SELECT {', '.join(self.columns)} FROM {self.model._meta.db_table} WHERE 1 = 0"
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {self._table} AS {like}")
        execute(f"DELETE FROM {self._table}")

    def make(self, days: DayRange) -> None:
        """What the rows of these days are to be, in the temporary table."""
        execute(f"INSERT INTO {self._table} ({', '.join(self.columns)}) {self._made()}", _bounds(days))

    def replace(self, days: DayRange) -> None:
        """Put what was made in place of the rows of these days. Call it in a transaction."""
        stored, columns = self.model._meta.db_table, ", ".join(self.columns)
        bounds = (str(days.first), str(days.last))
        execute(f"DELETE FROM {stored} WHERE day BETWEEN %s AND %s", bounds)
        execute(
            f"INSERT INTO {stored} ({columns})"
            f" SELECT {columns} FROM {self._table} WHERE day BETWEEN %s AND %s",
            bounds,
        )

    @property
    def _table(self) -> str:
        return f"made_{self.model._meta.db_table}"

    def differs(self, days: DayRange) -> bool:
        """Whether the table holds other rows of these days than it would if they were made now."""
        made = f"SELECT * FROM ({self._made()}) AS made"
        stored = (
            f"SELECT {', '.join(self.columns)} FROM {self.model._meta.db_table}"
            " WHERE day BETWEEN %(first_day)s AND %(last_day)s"
        )
        query = f"SELECT EXISTS ({made} EXCEPT {stored}) OR EXISTS ({stored} EXCEPT {made})"
        [(differs,)] = fetch(query, _bounds(days))
        return bool(differs)

    def _made(self) -> str:
        return self.select.format(occurred=_day_of("occurred_at"), started=_day_of("started_at"))


def _bounds(days: DayRange) -> dict[str, str]:
    first_id, end_id = days.ids
    first_moment, last_moment = days.moments
    return {
        "first_id": first_id,
        "end_id": end_id,
        "first_moment": first_moment,
        "last_moment": last_moment,
        "first_day": str(days.first),
        "last_day": str(days.last),
    }


def _day_of(column: str) -> str:
    """SQLite keeps moments as texts in UTC that begin with the day."""
    if connection.vendor == "sqlite":
        return f"substr({column}, 1, 10)"
    return f"CAST({column} AT TIME ZONE 'UTC' AS date)"
