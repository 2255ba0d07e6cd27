"""The picture that an answer invites: one number for each of some names or days."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import gcd
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_details import spaced
from telemetry.charts import axis_end
from telemetry.charts.bars import BAR, STEP, height, width

MOST_NAMES = 30
MOST_DAYS = 400
# Of more columns none is the figure that was asked for.
MOST_COLUMNS = 4
HEIGHT = 100
# As the table has it.
NAMELESS = "none"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MIDNIGHT = "T00:00:00+00:00"
_ID = re.compile(r"(?:.*_)?id", re.IGNORECASE)


@dataclass(frozen=True)
class AnswerChart:
    """`label` and `figure` are names of columns; `labels` are all different, `values` at least 0."""

    label: str
    figure: str
    labels: Sequence[str]
    values: Sequence[float]

    @property
    def by_day(self) -> bool:
        return all(map(_is_moment, self.labels))

    @property
    def bars(self) -> Iterator[tuple[str, SafeString, str]]:
        """Of each name: the name, a bar beside it, and the number."""
        highest = max(self.values)
        for label, value in zip(self.labels, self.values, strict=True):
            yield label, _across(height(value, highest, HEIGHT)), spaced(value)

    @property
    def columns(self) -> SafeString:
        """Of all days: bars from the left to the right."""
        words = f"{self.figure} by {self.label}: {', '.join(self._told())}"
        return format_html(
            '<svg class="day-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
            'aria-label="{}">{}{}</svg>',
            self._width,
            HEIGHT,
            words,
            self._grid(),
            format_html_join(
                "",
                '<g class="day"><title>{}</title>'
                '<rect class="series-0" x="{}" y="{}" width="{}" height="{}"/></g>',
                self._upright(),
            ),
        )

    @property
    def ends(self) -> list[str]:
        """The texts beside the axis, from above."""
        return [spaced(at) for at in (self._end, self._end // 2, 0)]

    @property
    def first(self) -> str:
        return min(self.labels).removesuffix(_MIDNIGHT)

    @property
    def last(self) -> str:
        return max(self.labels).removesuffix(_MIDNIGHT)

    @property
    def _end(self) -> int:
        return axis_end(max(self.values))

    @property
    def _width(self) -> int:
        return width(_places(sorted(self.labels))[-1] + 1)

    def _grid(self) -> SafeString:
        lines = ((self._width, at, at) for at in (0, HEIGHT / 2, HEIGHT))
        return format_html_join("", '<line class="grid" x1="0" x2="{}" y1="{}" y2="{}"/>', lines)

    def _upright(self) -> Iterator[tuple[str, int, float, int, float]]:
        ordered = sorted(zip(self.labels, self.values, self._told(), strict=True))
        for place, (_label, value, told) in zip(_places(sorted(self.labels)), ordered, strict=True):
            tall = height(value, self._end, HEIGHT)
            yield told, place * STEP, HEIGHT - tall, BAR, tall

    def _told(self) -> list[str]:
        return [f"{label} {spaced(value)}" for label, value in zip(self.labels, self.values, strict=True)]


def chart_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> AnswerChart | None:
    """None unless the first column is of names or days, each once, and another of numbers."""
    if not 2 <= len(columns) <= MOST_COLUMNS:
        return None
    rows = _labelled(rows)
    if len(rows) < 2:
        return None
    labels = [row[0] for row in rows]
    if not all(isinstance(label, str) and label for label in labels) or len(set(labels)) < len(labels):
        return None
    for place, name in enumerate(columns[1:], 1):
        values = [row[place] for row in rows]
        if _is_figure(values) and not _ID.fullmatch(name):
            chart = AnswerChart(columns[0], name, labels, values)
            return chart if len(rows) <= (MOST_DAYS if chart.by_day else MOST_NAMES) else None
    return None


def _labelled(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """What has no name gets one; what has no day stands on none."""
    dated = [row for row in rows if row[0] is not None]
    if all(isinstance(row[0], str) and _is_moment(row[0]) for row in dated):
        return dated
    return [[NAMELESS, *row[1:]] if row[0] is None else row for row in rows]


def _is_figure(values: Sequence[Any]) -> bool:
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return are_numbers and min(values) >= 0 and max(values) > 0


def _is_moment(label: str) -> bool:
    try:
        date.fromisoformat(label[:10])
    except ValueError:
        return False
    return bool(_DAY.match(label))


def _places(labels: Sequence[str]) -> list[int]:
    """Of moments in order: days or weeks without a row leave a gap, unless most would."""
    days = [date.fromisoformat(label[:10]).toordinal() for label in labels]
    steps = [later - earlier for earlier, later in pairwise(days)]
    step = gcd(*steps)
    if min(steps, default=0) == 0 or (days[-1] - days[0]) // step > 2 * len(days):
        return list(range(len(days)))
    return [(day - days[0]) // step for day in days]


def _across(share: float) -> SafeString:
    return format_html(
        '<svg viewBox="0 0 {} 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="series-0" width="{}" height="8"/></svg>',
        HEIGHT,
        share,
    )
