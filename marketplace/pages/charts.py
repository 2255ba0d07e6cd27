"""Charts as SVG: they scale to their box, take their colours from the style sheet and say their numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_details import spaced

STEP = 4
BAR = 3
SPARKLINE_HEIGHT = 24
CHART_HEIGHT = 100
# A day with little use is still seen.
SMALLEST_BAR = 1.5


@dataclass(frozen=True)
class Day:
    """One UTC day's figures."""

    day: date
    invocations: int
    errors: int = 0
    people: int = 0

    def __str__(self) -> str:
        return (
            f"{self.day}: {counted(self.invocations, 'invocation')}, {counted(self.errors, 'error')}, "
            f"{counted(self.people, 'person', 'people')}"
        )


def counted(number: int, one: str, many: str = "") -> str:
    """`1 error`, `1 234 errors`."""
    return f"{spaced(number)} {one if number == 1 else many or one + 's'}"


def sparkline(values: Sequence[int]) -> SafeString:
    """Invocations by day, the last one today. All days are one path, since a page has dozens of these."""
    words = in_words(values)
    bars = list(_bar_paths(values))
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<title>{}</title><path class="day" d="{}"/><path class="today" d="{}"/></svg>',
        _width(values),
        SPARKLINE_HEIGHT,
        words,
        words,
        "".join(bars[:-1]),
        "".join(bars[-1:]),
    )


def _bar_paths(values: Sequence[int]) -> Iterator[str]:
    """A day without use has an empty one."""
    highest = max(values, default=0)
    for place, value in enumerate(values):
        height = _height(value, highest, SPARKLINE_HEIGHT)
        yield f"M{place * STEP} {SPARKLINE_HEIGHT}v-{height}h{BAR}v{height}z" if value else ""


def _height(value: int, highest: int, whole: int) -> float:
    return round(max(value / highest * whole, SMALLEST_BAR), 2) if value else 0


def _width(values: Sequence[object]) -> int:
    return len(values) * STEP - (STEP - BAR)


def in_words(values: Sequence[int]) -> str:
    total, used = sum(values), sum(1 for value in values if value)
    if not total:
        return f"Not used in {counted(len(values), 'day')}."
    return (
        f"{counted(total, 'invocation')} in {counted(len(values), 'day')}, on {counted(used, 'day')}; "
        f"at most {spaced(max(values))} a day, today so far {spaced(values[-1])}."
    )


def day_chart(days: Sequence[Day]) -> SafeString:
    """The bars of a chart by day, on an axis that begins at 0 and ends at `axis_end(days)`."""
    width = _width(days)
    return format_html(
        '<svg class="day-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        "{}{}</svg>",
        width,
        CHART_HEIGHT,
        in_words([it.invocations for it in days]),
        format_html_join(
            "",
            '<line class="grid" x1="0" x2="{}" y1="{}" y2="{}"/>',
            ((width, at, at) for at in (0, CHART_HEIGHT / 2, CHART_HEIGHT)),
        ),
        _bars(days, axis_end(days)),
    )


def axis_end(days: Sequence[Day]) -> int:
    """A round number, so that half of it is whole."""
    highest = max((it.invocations for it in days), default=0)
    power = 1
    while True:
        for step in (2, 4, 6, 8, 10, 12, 16):
            if highest <= step * power:
                return step * power
        power *= 10


def _bars(days: Sequence[Day], highest: int) -> SafeString:
    heights = [_height(it.invocations, highest, CHART_HEIGHT) for it in days]
    last = len(days) - 1
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            ("today" if place == last else "day", place * STEP, CHART_HEIGHT - height, BAR, height, str(day))
            for place, (day, height) in enumerate(zip(days, heights, strict=True))
        ),
    )
