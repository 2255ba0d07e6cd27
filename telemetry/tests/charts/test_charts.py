import re
from datetime import date, timedelta

import pytest
from django.template.loader import render_to_string

from telemetry.charts import DayChart, Series, axis_end, in_words, sparkline

FIRST = date(2026, 5, 1)


def days(number: int) -> list[date]:
    return [FIRST + timedelta(days=each) for each in range(number)]


def chart(*invocations: int, **more: list[Series]) -> DayChart:
    return DayChart(days(len(invocations)), [Series(invocations, "invocation")], **more)  # type: ignore[arg-type]


def bars(svg: str) -> list[tuple[str, ...]]:
    return re.findall(r'<rect class="(.*?)" x="(.*?)" y="(.*?)" width="3" height="(.*?)"/>', svg)


class TestSparkline:
    def test_the_highest_day_fills_it_and_a_small_one_is_seen(self):
        days, today = re.findall(r'<path class="(?:day|today)" d="(.*?)"', sparkline([1000, 1, 0, 500]))
        assert days == "M0 24v-24.0h3v24.0zM4 24v-1.5h3v1.5z"
        assert today == "M12 24v-12.0h3v12.0z"

    def test_without_use_it_draws_nothing(self):
        assert sparkline([0, 0]).count('d=""') == 2
        assert in_words([0, 0]) == "No invocations in 2 days."

    def test_it_says_what_it_counts(self):
        assert "1 person in 1 day, on 1 day" in sparkline([1], "person", "people")


class TestDayChart:
    @pytest.mark.parametrize(
        ("highest", "end"), [(0, 2), (2, 2), (3, 4), (5, 6), (11, 12), (17, 20), (81, 100), (101, 120)]
    )
    def test_its_axis_ends_at_a_round_number(self, highest: int, end: int):
        assert axis_end(highest) == end

    def test_the_ends_of_its_axis_are_short(self):
        assert chart(2_100_000).ends == ["4\u2009M", "2\u2009M", "0"]
        assert chart(900).ends == ["1\u2009k", "500", "0"]

    def test_each_bar_says_its_day_and_today_is_marked(self):
        svg = chart(1, 1234, more=[Series([0, 1], "error"), Series([2, 1], "person", "people")]).svg
        assert "<title>2026-05-01: 1 invocation, 0 errors, 2 people</title>" in svg
        assert "<title>2026-05-02: 1\u2009234 invocations, 1 error, 1 person</title>" in svg
        assert svg.count('class="today"') == 1
        assert svg.count('class="grid"') == 3

    def test_series_stand_on_each_other(self):
        two = DayChart(days(2), [Series([50, 0], "session"), Series([50, 25], "agent")])
        assert bars(two.svg) == [
            ("series-0", "0", "50.0", "50.0"),
            ("series-1", "0", "0.0", "50.0"),
            ("series-1", "4", "75.0", "25.0"),
        ]
        assert two.legend == [(1, "Agents"), (0, "Sessions")]

    def test_its_numbers_are_told_in_words_and_in_a_table(self):
        people = Series([3, 4], "person", "people")
        page = render_to_string("charts/day_chart.html", {"chart": chart(7, 0, more=[people])})
        assert 'aria-label="7 invocations in 2 days, on 1 day; at most 7 a day, today so far 0."' in page
        table = re.sub(r"<[^>]+>", " ", page[page.index("<table>") :]).split()
        assert table == [
            "Day",
            "(UTC)",
            "Invocations",
            "People",
            "2026-05-02",
            "0",
            "4",
            "2026-05-01",
            "7",
            "3",
        ]

    def test_what_is_told_is_only_text(self):
        hostile = Series([1], '"><script>')
        assert "<script>" not in render_to_string(
            "charts/day_chart.html", {"chart": DayChart(days(1), [hostile])}
        )
