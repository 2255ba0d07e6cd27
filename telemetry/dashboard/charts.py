"""The charts of the front page: what is drawn, and what it is called."""

from dataclasses import dataclass

from telemetry.charts import DayChart, Series, counted
from telemetry.dashboard.figures import Daily, invocations
from telemetry.models import UsageDaily


@dataclass(frozen=True)
class Card:
    """A chart with its heading, its one large figure, that of the time before, and what it means."""

    key: str
    title: str
    figure: str
    before: str
    meaning: str
    chart: DayChart


def cards(daily: Daily) -> list[Card]:
    return [_people(daily), _sessions(daily), _invocations(daily), _error_rate(daily), _tokens(daily)]


def _people(daily: Daily) -> Card:
    people = Series(daily.values(lambda row: row.people), "person", "people")
    words = f"{counted(daily.people, 'person', 'people')} in all. {_most(people)}"
    chart = DayChart(daily.window.days, [people], words=words)
    return Card(
        "people",
        "Active people",
        counted(daily.people, "person", "people"),
        "",
        "Different people of the whole time with an event or a message; bars are the people of a day, so "
        "they do not add up.",
        chart,
    )


def _sessions(daily: Daily) -> Card:
    sessions = Series(daily.values(lambda row: row.sessions), "session")
    prompts = Series(daily.values(lambda row: row.prompts), "prompt")
    return Card(
        "sessions",
        "Sessions",
        counted(daily.total(lambda row: row.sessions), "session"),
        counted(daily.total_before(lambda row: row.sessions), "session"),
        "A session counts on each day on which something happened in it.",
        DayChart(daily.window.days, [sessions], [prompts]),
    )


def _invocations(daily: Daily) -> Card:
    by_source = [
        Series(daily.values(lambda row: row.invocations_curated), "curated", "curated"),
        Series(daily.values(lambda row: row.invocations_builtin), "built in", "built in"),
        Series(daily.values(lambda row: row.invocations_flea), "flea market", "flea market"),
    ]
    return Card(
        "invocations",
        "Invocations by source",
        counted(daily.total(invocations), "invocation"),
        counted(daily.total_before(invocations), "invocation"),
        "Tool calls, subagents, MCP calls and slash commands. Built in: of no known plugin.",
        DayChart(daily.window.days, by_source),
    )


def _error_rate(daily: Daily) -> Card:
    rate = Series(daily.values(_rate), "percent", "percent")
    errors = Series(daily.values(lambda row: row.errors), "error")
    calls = Series(daily.values(invocations), "invocation")
    now = percent(daily.total(lambda row: row.errors), daily.total(invocations))
    before = percent(daily.total_before(lambda row: row.errors), daily.total_before(invocations))
    most = max(rate.values, default=0)
    words = f"{now} of all invocations failed; on the worst day {most:g} percent."
    chart = DayChart(
        daily.window.days, [rate], [errors, calls], words=words, show=lambda at: f"{at:g}\u2009%"
    )
    return Card(
        "errors",
        "Error rate",
        now,
        before,
        "Calls that failed, in percent of all invocations. What a person refused or cancelled is no error.",
        chart,
    )


def _tokens(daily: Daily) -> Card:
    drawn = [
        Series(daily.values(lambda row: row.output_tokens), "output", "output"),
        Series(daily.values(lambda row: row.input_tokens), "input", "input"),
        Series(
            daily.values(lambda row: row.cache_creation_tokens),
            "written to the cache",
            "written to the cache",
        ),
    ]
    cached = Series(
        daily.values(lambda row: row.cache_read_tokens), "read from the cache", "read from the cache"
    )
    return Card(
        "tokens",
        "Tokens",
        counted(daily.total(_tokens_of), "token"),
        counted(daily.total_before(_tokens_of), "token"),
        "Output, input and what is written to the prompt cache; what is read from the cache is told beside "
        "the bars and in the table.",
        DayChart(daily.window.days, drawn, [cached]),
    )


def percent(part: int, whole: int) -> str:
    """`3.2 %`; `none` of nothing."""
    return f"{100 * part / whole:.1f}\u2009%" if whole else "none"


def _rate(row: UsageDaily) -> float:
    whole = invocations(row)
    return round(100 * row.errors / whole, 1) if whole else 0


def _tokens_of(row: UsageDaily) -> int:
    return row.output_tokens + row.input_tokens + row.cache_creation_tokens


def _most(series: Series) -> str:
    most = max(series.values, default=0)
    return f"At most {counted(most, series.one, series.many)} a day, today so far {series.values[-1]}."
