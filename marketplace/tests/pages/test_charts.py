import re
from datetime import date, timedelta

import pytest

from marketplace.pages.charts import Day, axis_end, day_chart, in_words, sparkline

FIRST = date(2026, 5, 1)


def days(*invocations: int) -> list[Day]:
    return [Day(FIRST + timedelta(days=number), count) for number, count in enumerate(invocations)]


class TestSparkline:
    def test_the_highest_day_fills_it_and_a_small_one_is_seen(self):
        days, today = re.findall(r'<path class="(?:day|today)" d="(.*?)"', sparkline([1000, 1, 0, 500]))
        assert days == "M0 24v-24.0h3v24.0zM4 24v-1.5h3v1.5z"
        assert today == "M12 24v-12.0h3v12.0z"

    def test_without_use_it_draws_nothing(self):
        assert sparkline([0, 0]).count('d=""') == 2
        assert in_words([0, 0]) == "Not used in 2 days."


class TestDayChart:
    @pytest.mark.parametrize(
        ("highest", "end"), [(0, 2), (2, 2), (3, 4), (5, 6), (11, 12), (17, 20), (81, 100), (101, 120)]
    )
    def test_its_axis_ends_at_a_round_number(self, highest: int, end: int):
        assert axis_end(days(highest)) == end

    def test_each_bar_says_its_day_and_today_is_marked(self):
        svg = day_chart(days(1, 1234))
        assert "<title>2026-05-01: 1 invocation, 0 errors, 0 people</title>" in svg
        assert "<title>2026-05-02: 1\u2009234 invocations, 0 errors, 0 people</title>" in svg
        assert svg.count('class="today"') == 1
        assert svg.count('class="grid"') == 3
